/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flow_parse() and the reference on the same packet: do they say the same? Used by the unit test
 * and by the fuzz target.
 */
#ifndef DNSFENCE_TEST_COMPARE_H
#define DNSFENCE_TEST_COMPARE_H

#include "host_flow.h"
#include "reference.h"

static inline uint32_t compare_flags(const struct reference *reference)
{
	return (reference->has_ports ? FLOW_PORTS : 0) |
	       (reference->routing_header ? FLOW_ROUTING : 0) |
	       (reference->source_route ? FLOW_SOURCE_ROUTE : 0) |
	       (reference->tunnel ? FLOW_TUNNEL : 0) |
	       (reference->later_fragment ? FLOW_LATER_FRAGMENT : 0) |
	       (reference->cut_short ? FLOW_TRUNCATED : 0) | (reference->too_many ? FLOW_CHAIN : 0);
}

/* NULL when both agree, and packing the flow loses nothing; else what they differ in. */
static inline const char *compare_readings(const uint8_t *packet, uint32_t length)
{
	struct reference reference;
	struct df_flow flow, again;

	host_flow_parse(packet, length, &flow);
	reference_read(packet, length, &reference);
	if (flow.flags != compare_flags(&reference))
		return "flags";
	if (flow.protocol != reference.protocol)
		return "protocol";
	if (flow.sport != reference.source_port || flow.dport != reference.destination_port)
		return "ports";
	host_flow_reparse(packet, length, &flow, &again);
	if (memcmp(&flow, &again, sizeof(flow)) != 0)
		return "packing";
	/* Of a packet cut short in the middle of its headers neither says more. */
	if (reference.cut_short && !reference.protocol)
		return NULL;
	if (flow.family != reference.family || flow.l3_offset != reference.ip_at)
		return "IP header";
	if (memcmp(flow.saddr, reference.source, 16) != 0 ||
	    memcmp(flow.daddr, reference.destination, 16) != 0)
		return "addresses";
	if (reference.has_ports && flow.l4_offset != reference.transport_at)
		return "transport header";
	return NULL;
}

#endif
