// SPDX-License-Identifier: GPL-2.0-or-later
#include "when.h"

#include <ctype.h>
#include <strings.h>
#include <time.h>

#define WHEN_MAX (INT64_C(253402300799) * WHEN_SECOND) /* the end of 9999 */

static const struct {
	const char *name;
	int64_t length;
} units[] = {
	{"s", WHEN_SECOND},
	{"sec", WHEN_SECOND},
	{"second", WHEN_SECOND},
	{"seconds", WHEN_SECOND},
	{"ms", 1000},
	{"us", 1},
	{"m", 60 * WHEN_SECOND},
	{"min", 60 * WHEN_SECOND},
	{"minute", 60 * WHEN_SECOND},
	{"minutes", 60 * WHEN_SECOND},
	{"h", 3600 * WHEN_SECOND},
	{"hr", 3600 * WHEN_SECOND},
	{"hour", 3600 * WHEN_SECOND},
	{"hours", 3600 * WHEN_SECOND},
	{"d", 86400 * WHEN_SECOND},
	{"day", 86400 * WHEN_SECOND},
	{"days", 86400 * WHEN_SECOND},
	{"w", 7 * 86400 * WHEN_SECOND},
	{"week", 7 * 86400 * WHEN_SECOND},
	{"weeks", 7 * 86400 * WHEN_SECOND},
};

static const char *skip_blanks(const char *at)
{
	return at + strspn(at, " \t");
}

static int when_give(int64_t value, int64_t *ret)
{
	if (value < 0 || value > WHEN_MAX)
		return -EINVAL;
	*ret = value;
	return 0;
}

/* Exactly so many digits: their value, and *at behind them; -1: there are others. */
static int read_digits(const char **at, int digits)
{
	int value = 0;

	for (int i = 0; i < digits; i++, (*at)++) {
		if (**at < '0' || **at > '9')
			return -1;
		value = value * 10 + (**at - '0');
	}
	return isdigit((unsigned char)**at) ? -1 : value;
}

static bool read_char(const char **at, char wanted)
{
	if (**at != wanted)
		return false;
	(*at)++;
	return true;
}

/* ".123456789" -> microseconds; what is finer is cut off. */
static bool read_fraction(const char **at, int64_t *ret)
{
	int64_t unit = WHEN_SECOND, value = 0;

	*ret = 0;
	if (!read_char(at, '.'))
		return true;
	if (!isdigit((unsigned char)**at))
		return false;
	for (; isdigit((unsigned char)**at); (*at)++) {
		unit /= 10;
		value += unit * (**at - '0');
	}
	*ret = value;
	return true;
}

static bool read_date(const char **at, struct tm *tm)
{
	int year, month, day;

	year = read_digits(at, 4);
	if (year < 1970 || !read_char(at, '-'))
		return false;
	month = read_digits(at, 2);
	if (month < 1 || month > 12 || !read_char(at, '-'))
		return false;
	day = read_digits(at, 2);
	if (day < 1 || day > 31)
		return false;
	tm->tm_year = year - 1900;
	tm->tm_mon = month - 1;
	tm->tm_mday = day;
	return true;
}

/* "19:50", "19:50:07" or "19:50:07.25"; a leap second is the next one. */
static bool read_clock(const char **at, struct tm *tm, int64_t *ret_fraction)
{
	*ret_fraction = 0;
	tm->tm_hour = read_digits(at, 2);
	if (tm->tm_hour < 0 || tm->tm_hour > 23 || !read_char(at, ':'))
		return false;
	tm->tm_min = read_digits(at, 2);
	if (tm->tm_min < 0 || tm->tm_min > 59)
		return false;
	tm->tm_sec = 0;
	if (!read_char(at, ':'))
		return true;
	tm->tm_sec = read_digits(at, 2);
	return tm->tm_sec >= 0 && tm->tm_sec <= 60 && read_fraction(at, ret_fraction);
}

/* "Z", "UTC", "+01:00": seconds east of Greenwich. */
static bool read_zone(const char **at, int *ret)
{
	int sign = **at == '-' ? -1 : 1, hours, minutes;

	*ret = 0;
	if (read_char(at, 'Z') || read_char(at, 'z'))
		return true;
	if (strncasecmp(*at, "UTC", 3) == 0) {
		*at += 3;
		return true;
	}
	if (!read_char(at, '+') && !read_char(at, '-'))
		return false;
	hours = read_digits(at, 2);
	if (hours < 0 || hours > 23 || !read_char(at, ':'))
		return false;
	minutes = read_digits(at, 2);
	if (minutes < 0 || minutes > 59)
		return false;
	*ret = sign * (hours * 3600 + minutes * 60);
	return true;
}

/* The zone, if there is one, and the end of the text. */
static int finish_stamp(const char *at, struct tm *tm, int64_t fraction, bool zone_needed,
			int64_t *ret)
{
	time_t seconds;
	int zone;

	at = zone_needed ? at : skip_blanks(at);
	if (*at || zone_needed) {
		if (!read_zone(&at, &zone) || *at)
			return -EINVAL;
		seconds = timegm(tm) - zone;
	} else {
		tm->tm_isdst = -1;
		seconds = mktime(tm);
	}
	return when_give((int64_t)seconds * WHEN_SECOND + fraction, ret);
}

static bool date_exists(const struct tm *tm)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int year = tm->tm_year + 1900;
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return tm->tm_mday <= days[tm->tm_mon] + (leap && tm->tm_mon == 1);
}

int when_parse_stamp(const char *text, int64_t *ret)
{
	struct tm tm = {0};
	int64_t fraction;

	if (!read_date(&text, &tm) || !date_exists(&tm) ||
	    !(read_char(&text, 'T') || read_char(&text, 't')) || !read_clock(&text, &tm, &fraction))
		return -EINVAL;
	return finish_stamp(text, &tm, fraction, true, ret);
}

/* "2026-11-24", with a clock behind it or without. */
static int parse_date(const char *text, int64_t *ret)
{
	struct tm tm = {0};
	int64_t fraction = 0;

	if (!read_date(&text, &tm) || !date_exists(&tm))
		return -EINVAL;
	if (read_char(&text, 'T') || (*text == ' ' && isdigit((unsigned char)*skip_blanks(text)))) {
		text = skip_blanks(text);
		if (!read_clock(&text, &tm, &fraction))
			return -EINVAL;
	}
	return finish_stamp(text, &tm, fraction, false, ret);
}

static struct tm today(int64_t now)
{
	time_t seconds = (time_t)(now / WHEN_SECOND);
	struct tm tm;

	localtime_r(&seconds, &tm);
	return (struct tm){.tm_year = tm.tm_year, .tm_mon = tm.tm_mon, .tm_mday = tm.tm_mday};
}

static int parse_clock(const char *text, int64_t now, int64_t *ret)
{
	struct tm tm = today(now);
	int64_t fraction;

	if (!read_clock(&text, &tm, &fraction))
		return -EINVAL;
	return finish_stamp(text, &tm, fraction, false, ret);
}

static int parse_word(const char *text, int64_t now, int64_t *ret)
{
	static const struct {
		const char *word;
		int days;
	} words[] = {{"today", 0}, {"yesterday", -1}, {"tomorrow", 1}};
	struct tm tm = today(now);

	if (strcasecmp(text, "now") == 0)
		return when_give(now, ret);
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcasecmp(text, words[i].word) == 0) {
			tm.tm_mday += words[i].days;
			tm.tm_isdst = -1;
			return when_give((int64_t)mktime(&tm) * WHEN_SECOND, ret);
		}
	return -EINVAL;
}

/* "@1795550000.25" */
static int parse_epoch(const char *text, int64_t *ret)
{
	int64_t seconds = 0, fraction;

	text++;
	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	for (; isdigit((unsigned char)*text); text++) {
		seconds = seconds * 10 + (*text - '0');
		if (seconds > WHEN_MAX / WHEN_SECOND)
			return -EINVAL;
	}
	if (!read_fraction(&text, &fraction) || *text)
		return -EINVAL;
	return when_give(seconds * WHEN_SECOND + fraction, ret);
}

static int64_t unit_length(const char *name, size_t length)
{
	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (strlen(units[i].name) == length &&
		    strncasecmp(units[i].name, name, length) == 0)
			return units[i].length;
	return 0;
}

/* "1h 30min": the length of the text that it takes, 0: it is none. */
static size_t read_span(const char *text, int64_t *ret)
{
	const char *at = text;
	int64_t span = 0;

	while (isdigit((unsigned char)*at)) {
		int64_t number = 0, length;
		size_t letters;

		for (; isdigit((unsigned char)*at); at++)
			if ((number = number * 10 + (*at - '0')) > WHEN_MAX)
				return 0;
		at = skip_blanks(at);
		letters = strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
		length = unit_length(at, letters);
		if (!length || number > (WHEN_MAX - span) / length)
			return 0;
		span += number * length;
		at = skip_blanks(at + letters);
	}
	*ret = span;
	return (size_t)(at - text);
}

/* "-1h", "+5min", "10 min ago". */
static int parse_relative(const char *text, int64_t now, int64_t *ret)
{
	bool sign = *text == '-' || *text == '+', past = *text == '-';
	int64_t span;
	size_t length = read_span(text + sign, &span);

	if (!length)
		return -EINVAL;
	text += sign + length;
	if (!sign && strcasecmp(text, "ago") == 0)
		past = true;
	else if (!sign || *text)
		return -EINVAL;
	return when_give(past ? now - span : now + span, ret);
}

int when_parse(const char *text, int64_t now, int64_t *ret)
{
	text = skip_blanks(text);
	if (*text == '@')
		return parse_epoch(text, ret);
	if (parse_word(text, now, ret) == 0 || parse_date(text, ret) == 0 ||
	    parse_clock(text, now, ret) == 0)
		return 0;
	return parse_relative(text, now, ret);
}
