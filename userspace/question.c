// SPDX-License-Identifier: GPL-2.0-or-later
#include "question.h"

/* IANA "DNS Parameters": types that clients ask for. */
static const struct {
	uint16_t number;
	const char *name;
} question_types[] = {
	{1, "A"},           {2, "NS"},      {5, "CNAME"},   {6, "SOA"},       {12, "PTR"},
	{13, "HINFO"},      {15, "MX"},     {16, "TXT"},    {17, "RP"},       {18, "AFSDB"},
	{24, "SIG"},        {25, "KEY"},    {28, "AAAA"},   {29, "LOC"},      {33, "SRV"},
	{35, "NAPTR"},      {36, "KX"},     {37, "CERT"},   {39, "DNAME"},    {41, "OPT"},
	{42, "APL"},        {43, "DS"},     {44, "SSHFP"},  {45, "IPSECKEY"}, {46, "RRSIG"},
	{47, "NSEC"},       {48, "DNSKEY"}, {49, "DHCID"},  {50, "NSEC3"},    {51, "NSEC3PARAM"},
	{52, "TLSA"},       {53, "SMIMEA"}, {55, "HIP"},    {59, "CDS"},      {60, "CDNSKEY"},
	{61, "OPENPGPKEY"}, {62, "CSYNC"},  {63, "ZONEMD"}, {64, "SVCB"},     {65, "HTTPS"},
	{99, "SPF"},        {108, "EUI48"}, {109, "EUI64"}, {249, "TKEY"},    {250, "TSIG"},
	{251, "IXFR"},      {252, "AXFR"},  {255, "ANY"},   {256, "URI"},     {257, "CAA"},
};

static void question_type(uint16_t number, char text[16])
{
	for (size_t i = 0; i < ARRAY_LEN(question_types); i++)
		if (question_types[i].number == number) {
			snprintf(text, 16, "%s", question_types[i].name);
			return;
		}
	snprintf(text, 16, "TYPE%u", number);
}

static void question_class(uint16_t number, char text[16])
{
	const char *name = number == 1     ? "IN"
			   : number == 3   ? "CH"
			   : number == 4   ? "HS"
			   : number == 255 ? "ANY"
					   : NULL;

	if (name)
		snprintf(text, 16, "%s", name);
	else
		snprintf(text, 16, "CLASS%u", number);
}

static char *question_label(char *to, const uint8_t *label, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		uint8_t c = label[i];

		if (c == '.' || c == '\\') {
			*to++ = '\\';
			*to++ = (char)c;
		} else if (c > 0x20 && c < 0x7f) {
			*to++ = (char)c;
		} else {
			to += sprintf(to, "\\%03u", c);
		}
	}
	return to;
}

int question_decode(const uint8_t *bytes, size_t length, struct question_text *ret)
{
	struct question_text text;
	char *to = text.name;
	size_t at = 0;

	for (;;) {
		size_t label;

		if (at >= length || at > 254)
			return -EINVAL;
		label = bytes[at++];
		if (!label)
			break;
		if (label > 63 || at + label > length || at + label > 254)
			return -EINVAL;
		if (to != text.name)
			*to++ = '.';
		to = question_label(to, bytes + at, label);
		at += label;
	}
	if (length - at != 4)
		return -EINVAL;
	if (to == text.name)
		*to++ = '.';
	*to = 0;
	question_type((uint16_t)(bytes[at] << 8 | bytes[at + 1]), text.type);
	question_class((uint16_t)(bytes[at + 2] << 8 | bytes[at + 3]), text.class);
	*ret = text;
	return 0;
}
