/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Ports and transports <-> services, from the one table in abi.h. Both sides use it: the verdict,
 * and the policy compiler, which must see a resolver's port as the verdict will.
 */
#ifndef DNSFENCE_SERVICE_H
#define DNSFENCE_SERVICE_H

#include "abi.h"
#include "flow.h"

static __always_inline __u32 protocol_bit(__u32 protocol)
{
	if (protocol == PROTO_UDP || protocol == PROTO_UDPLITE)
		return DF_PROTO_UDP;
	if (protocol == PROTO_TCP || protocol == PROTO_MPTCP)
		return DF_PROTO_TCP;
	return 0;
}

/*
 * Of some services (a bit each) the one that owns a port, DF_SERVICE_MAX for none. A transport that
 * no resolver speaks (SCTP, DCCP; protocols 0) owns the port of any: decide() denies it there.
 */
static __always_inline __u32 service_of(__u32 port, __u32 protocols, __u32 services)
{
#define X(id, name, number, bits, source)                             \
	if (port == number && (services & (1u << DF_SERVICE_##id)) && \
	    (!protocols || (protocols & (bits))))                     \
		return DF_SERVICE_##id;
	DF_SERVICES(X)
#undef X
	return DF_SERVICE_MAX;
}

/* DF_PROTO_ bits that a service is spoken over. */
static __always_inline __u32 service_protocols(__u32 service)
{
#define X(id, name, number, bits, source) \
	if (service == DF_SERVICE_##id)   \
		return bits;
	DF_SERVICES(X)
#undef X
	return 0;
}

#endif
