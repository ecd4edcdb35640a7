// SPDX-License-Identifier: GPL-2.0-or-later
#include "judge.h"

#include <string.h>

#define UDP 1u
#define TCP 2u

/* What is spoken where, from the RFCs; in the order of the keys of `services:`. */
static const struct {
	unsigned int port, transports;
	const char *where;
} services[] = {
	{53, UDP | TCP, "dns, RFC 1035 4.2"},   {853, TCP, "dot, RFC 7858 3.1"},
	{853, UDP, "doq, RFC 9250 4.1.1"},      {5353, UDP, "mdns, RFC 6762 2"},
	{5355, UDP | TCP, "llmnr, RFC 4795 2"}, {137, UDP, "netbios, RFC 1002 4.2"},
};

#define SERVICES (sizeof(services) / sizeof(services[0]))
#define NO_SERVICE (-1)

/* UDP-Lite carries the same messages as UDP. 0: no resolver speaks it. */
static unsigned int transport_of(int protocol)
{
	if (protocol == 17 || protocol == 136)
		return UDP;
	return protocol == 6 ? TCP : 0;
}

/* Which fenced service a packet is for; over a transport that none has, any that has the port. */
static int service_for(const struct config *config, unsigned int port, unsigned int transport)
{
	for (size_t i = 0; i < SERVICES; i++)
		if ((config->services >> i & 1) && services[i].port == port &&
		    (!transport || (services[i].transports & transport)))
			return (int)i;
	return NO_SERVICE;
}

static bool bit_at(const uint8_t *bytes, unsigned int bit)
{
	return bytes[bit / 8] >> (7 - bit % 8) & 1;
}

static bool is_inside(const struct address *network, const struct reference *packet)
{
	if (network->family != packet->family)
		return false;
	for (unsigned int bit = 0; bit < network->prefix; bit++)
		if (bit_at(network->bytes, bit) != bit_at(packet->destination, bit))
			return false;
	return true;
}

/* Over what a resolver with a port of its own is asked. */
static unsigned int own_port_transports(const struct resolver *resolver)
{
	unsigned int transports = resolver->protocols ? resolver->protocols : UDP | TCP;

	for (size_t i = 0; i < SERVICES; i++)
		if (resolver->services >> i & 1)
			transports &= services[i].transports;
	return transports;
}

/* "port: N" names exactly this address, port and transport. */
static bool names_the_port(const struct resolver *resolver, const struct reference *packet)
{
	return resolver->port && resolver->port == packet->destination_port &&
	       (own_port_transports(resolver) & transport_of(packet->protocol)) &&
	       is_inside(&resolver->address, packet);
}

/* Without a port it names the services: those it lists, or all that are fenced. */
static bool names_the_service(const struct resolver *resolver, const struct reference *packet,
			      int service)
{
	if (service == NO_SERVICE || resolver->port)
		return false;
	if (resolver->services && !(resolver->services >> service & 1))
		return false;
	if (resolver->protocols && !(resolver->protocols & transport_of(packet->protocol)))
		return false;
	return is_inside(&resolver->address, packet);
}

/* Does a policy list the packet's target, as a service's resolver or with its own port? */
static bool policy_lists(const struct config *config, size_t policy, const struct reference *packet,
			 int service)
{
	const struct policy_config *of = &config->policies[policy];

	for (size_t i = 0; i < of->sets_length; i++) {
		const struct resolver_set *set = config_find_set(config, of->sets[i]);

		for (size_t j = 0; j < set->length; j++)
			if (names_the_port(&set->resolvers[j], packet) ||
			    names_the_service(&set->resolvers[j], packet, service))
				return true;
	}
	return false;
}

/* A resolver with a port of its own is fenced for everybody who does not list it. */
static bool anybody_lists(const struct config *config, const struct reference *packet)
{
	for (size_t i = 0; i < config->policies_length; i++)
		if (policy_lists(config, i, packet, NO_SERVICE))
			return true;
	return false;
}

static bool port_is_listed(const struct resolver_set *set, unsigned int port)
{
	for (size_t i = 0; i < set->length; i++)
		if (set->resolvers[i].port == port && own_port_transports(&set->resolvers[i]))
			return true;
	return false;
}

/* A port on which somebody may be asked, whoever it is and over whatever. */
static bool port_matters(const struct config *config, unsigned int port)
{
	if (service_for(config, port, 0) != NO_SERVICE)
		return true;
	for (size_t i = 0; port && i < config->policies_length; i++)
		for (size_t j = 0; j < config->policies[i].sets_length; j++)
			if (port_is_listed(config_find_set(config, config->policies[i].sets[j]),
					   port))
				return true;
	return false;
}

/* Why nobody can tell where a packet goes; NULL: one can. */
static const char *hidden_ports(const struct reference *packet)
{
	if (packet->cut_short)
		return "truncated-header";
	if (packet->too_many)
		return "header-chain";
	return packet->later_fragment ? "hand-made-fragment" : NULL;
}

static const char *hidden_target(const struct reference *packet)
{
	if (packet->routing_header)
		return "routing-header";
	if (packet->source_route)
		return "source-route";
	return packet->tunnel ? "hand-made-tunnel" : NULL;
}

static struct judgement against(const struct config *config, size_t policy, const char *reason)
{
	int mode = config->policies[policy].mode;

	if (mode == MODE_INHERIT)
		mode = config->mode;
	return (struct judgement){mode == MODE_AUDIT ? "audit" : "deny", reason};
}

static struct judgement judge_read(const struct config *config, size_t policy,
				   const struct reference *packet)
{
	static const struct judgement pass = {"pass", "none"};
	unsigned int transport = transport_of(packet->protocol);
	int service = service_for(config, packet->destination_port, transport);

	if (!hidden_ports(packet) &&
	    (!packet->has_ports || !port_matters(config, packet->destination_port)))
		return pass;
	if (config->policies[policy].any)
		return (struct judgement){"allow", "exempt"};
	if (hidden_ports(packet))
		return against(config, policy, hidden_ports(packet));
	if (hidden_target(packet))
		return against(config, policy, hidden_target(packet));
	if (service != NO_SERVICE && !transport)
		return against(config, policy, "transport");
	if (policy_lists(config, policy, packet, service))
		return (struct judgement){"allow", "sanctioned"};
	if (service == NO_SERVICE && !anybody_lists(config, packet))
		return pass;
	return against(config, policy, "resolver-not-sanctioned");
}

/*
 * Sent by a server to its client: a DNS message with the response bit (RFC 1035 4.1.1) from a
 * port that is fenced, though not QUIC's; or a reset (RFC 9293 3.1) that carries nothing.
 */
static bool is_answer(const struct config *config, const struct reference *packet,
		      const uint8_t *bytes, size_t length)
{
	size_t at = packet->transport_at, flags = at + 8 + 2;

	if (packet->protocol == 6)
		return at + 13 < length && (bytes[at + 13] & 4) &&
		       at + bytes[at + 12] / 16 * 4u >= length;
	if (transport_of(packet->protocol) != UDP || packet->source_port == 853)
		return false;
	return port_matters(config, packet->source_port) && flags < length && (bytes[flags] & 0x80);
}

struct judgement judge_list(const struct config *config, size_t policy, const uint8_t *packet,
			    size_t length)
{
	struct reference reference;

	reference_read(packet, length, &reference);
	return judge_read(config, policy, &reference);
}

struct judgement judge_packet(const struct config *config, size_t policy, const uint8_t *packet,
			      size_t length)
{
	struct judgement judgement;
	struct reference reference;

	reference_read(packet, length, &reference);
	judgement = judge_read(config, policy, &reference);
	if (strcmp(judgement.reason, "resolver-not-sanctioned") == 0 &&
	    is_answer(config, &reference, packet, length))
		return (struct judgement){"allow", "answer"};
	return judgement;
}
