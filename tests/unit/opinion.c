// SPDX-License-Identifier: GPL-2.0-or-later
#include "opinion.h"

#include "judge.h"
#include "packet.h"

void opinion_of(const struct config *config, size_t policy, const struct query *query,
		const char **ret_verdict, const char **ret_reason)
{
	bool four = query->address.family == 4;
	struct layer layers[PACKET_LAYERS_MAX] = {LAYER(four ? 4 : 41), LAYER(query->protocol)};
	static struct packet packet;
	struct judgement judgement;
	uint8_t *transport = packet.bytes + (four ? 20 : 40);

	packet_build(&packet, layers, 0);
	memcpy(packet.bytes + (four ? 16 : 24), query->address.bytes, four ? 4 : 16);
	packet_put16(transport + 2, query->port);
	judgement = judge_list(config, policy, packet.bytes, packet.length);
	*ret_verdict = judgement.verdict;
	*ret_reason = judgement.reason;
}
