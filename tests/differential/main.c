// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two readings of one truth, and a third: the loaded packet program under BPF_PROG_TEST_RUN, the
 * same flow_parse() and decide() compiled for the host, and the plain reading of judge.c, on the
 * same packets. Nothing is attached and nothing is pinned. TEST_SEED, TEST_PACKETS and
 * TEST_SCENARIO choose others; a difference is printed with what repeats it.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "tests/unit/host_verdict.h"

#include "userspace/counters.h"
#include "userspace/publish.h"

#include "aim.h"
#include "scenario.h"

#include "tests/unit/generate.h"

#define ETHERNET 14
#define ETHERTYPE_IP4 0x0800
#define ETHERTYPE_IP6 0x86dd
#define ETHERTYPE_OTHER 0x88b5 /* IEEE 802: for experiments */
#define LENGTH_MAX 2048 /* a packet under BPF_PROG_TEST_RUN must fit in a page */
#define BATCH 512 /* packets between two looks at the counters */
#define PACKETS 1000000ull

typedef uint64_t tally[DF_VERDICT_MAX][DF_REASON_SLOTS];

struct frame {
	uint32_t length; /* of the packet */
	uint8_t bytes[ETHERNET + LENGTH_MAX];
};

struct run {
	struct fence fence;
	struct reading reading;
	tally seen; /* of this scenario, by the counters */
	uint64_t reasons[DF_REASON_SLOTS]; /* of all */
	uint64_t runs, differences;
	char difference[256];
};

static const uint8_t *frame_packet(const struct frame *frame)
{
	return frame->bytes + ETHERNET;
}

/*
 * The link's idea of what it carries; now and then it is wrong, and nobody may care. Newer kernels
 * run nothing on a frame that is too short for the header it announces, so those announce none.
 */
static void frame_fill(struct frame *frame, const struct packet *packet)
{
	unsigned int type = packet->bytes[0] >> 4 == 6 ? ETHERTYPE_IP6 : ETHERTYPE_IP4;

	if (random_one_in(16))
		type ^= ETHERTYPE_IP6 ^ ETHERTYPE_IP4;
	if (packet->length < IP6_HEADER)
		type = ETHERTYPE_OTHER;
	memset(frame->bytes, 0, ETHERNET);
	packet_put16(frame->bytes + 12, type);
	memcpy(frame->bytes + ETHERNET, packet->bytes, packet->length);
	frame->length = packet->length;
}

static const char *differ(struct run *run, const char *who, const char *verdict, const char *reason,
			  const struct judgement *expected)
{
	snprintf(run->difference, sizeof(run->difference), "%s: %s %s; by plain reading: %s %s",
		 who, verdict, reason, expected->verdict, expected->reason);
	return run->difference;
}

static const char *compare_host(struct run *run, const struct frame *frame)
{
	struct reading *reading = &run->reading;
	struct judgement expected =
		judge_list(&reading->config, reading->rank, frame_packet(frame), frame->length);
	struct df_decision decision = host_decide(&reading->image, (uint32_t)reading->rank,
						  frame_packet(frame), frame->length);

	if (judgement_equal(&expected, decision.verdict, decision.reason))
		return NULL;
	return differ(run, "decide()", event_verdict_name(decision.verdict),
		      event_reason_name(decision.reason), &expected);
}

/* The program's verdict on the packet. *ret_expected is for the counters. */
static const char *compare_kernel(struct run *run, const struct frame *frame,
				  struct judgement *ret_expected)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame->bytes,
		    .data_size_in = ETHERNET + frame->length, .repeat = 1);
	struct reading *reading = &run->reading;

	*ret_expected =
		judge_packet(&reading->config, reading->rank, frame_packet(frame), frame->length);
	run->runs++;
	if (bpf_prog_test_run_opts(run->fence.programs[DF_HOOK_PACKET], &options) < 0)
		return differ(run, "the program", "cannot run", strerror(errno), ret_expected);
	if (options.retval == (util_streq(ret_expected->verdict, "deny") ? 0 : 1))
		return NULL;
	return differ(run, "the program", options.retval ? "passes" : "drops", "it", ret_expected);
}

static void tally_add(tally *to, const struct judgement *judgement)
{
	for (unsigned int verdict = 0; verdict < DF_VERDICT_MAX; verdict++)
		for (unsigned int reason = 0; reason < DF_REASON_MAX; reason++)
			(*to)[verdict][reason] += judgement_equal(judgement, verdict, reason);
	memset((*to)[DF_VERDICT_PASS], 0, sizeof((*to)[DF_VERDICT_PASS])); /* never counted */
}

/* What the packet hook has counted since *before, which moves on. */
static int tally_since(const struct run *run, struct df_counters *before, tally *ret)
{
	struct df_counters now;

	if (counters_read(run->fence.maps[FENCE_COUNTERS], &now) < 0)
		return -EIO;
	for (unsigned int verdict = 0; verdict < DF_VERDICT_MAX; verdict++)
		for (unsigned int reason = 0; reason < DF_REASON_SLOTS; reason++)
			(*ret)[verdict][reason] = now.verdicts[DF_HOOK_PACKET][verdict][reason] -
						  before->verdicts[DF_HOOK_PACKET][verdict][reason];
	*before = now;
	return 0;
}

/* All readings of some packets, with what was counted meanwhile. NULL: they agree. */
static const char *compare_frames(struct run *run, const struct frame *frames, size_t length,
				  struct df_counters *before)
{
	tally expected = {{0}}, counted;
	const char *difference = NULL;

	for (size_t i = 0; i < length && !difference; i++) {
		struct judgement judgement;

		difference = compare_host(run, &frames[i]);
		if (!difference)
			difference = compare_kernel(run, &frames[i], &judgement);
		if (!difference)
			tally_add(&expected, &judgement);
	}
	if (difference)
		return difference;
	if (tally_since(run, before, &counted) < 0)
		return "the counters cannot be read";
	for (unsigned int verdict = 0; verdict < DF_VERDICT_MAX; verdict++)
		for (unsigned int reason = 0; reason < DF_REASON_SLOTS; reason++)
			run->seen[verdict][reason] += counted[verdict][reason];
	return memcmp(expected, counted, sizeof(counted)) == 0 ? NULL
							       : "the counters say something else";
}

static const char *compare_one(struct run *run, const struct frame *frame)
{
	struct df_counters before;
	tally ignored;

	memset(&before, 0, sizeof(before));
	(void)tally_since(run, &before, &ignored);
	return compare_frames(run, frame, 1, &before);
}

/* As little of a packet as still makes the difference: cut from its end, zeroes in it. */
static void shrink(struct run *run, struct frame *frame)
{
	while (frame->length > 1) {
		frame->length--;
		if (!compare_one(run, frame)) {
			frame->length++;
			break;
		}
	}
	for (uint32_t i = 0; i < frame->length; i++) {
		uint8_t byte = frame->bytes[ETHERNET + i];

		frame->bytes[ETHERNET + i] = 0;
		if (byte && !compare_one(run, frame))
			frame->bytes[ETHERNET + i] = byte;
	}
}

static void print_difference(struct run *run, const struct frame *frame, uint64_t seed)
{
	struct frame small = *frame;
	struct packet packet = {.length = frame->length};
	const char *difference = compare_one(run, frame);

	run->differences++;
	fprintf(stderr,
		"DIFFERENCE %s\n  to repeat: TEST_SCENARIO=%s TEST_SEED=%llu TEST_PACKETS=1\n",
		difference ? difference : "that does not come again", run->reading.scenario->name,
		(unsigned long long)seed);
	memcpy(packet.bytes, frame_packet(frame), packet.length);
	packet_dump(&packet);
	if (!difference)
		return;
	shrink(run, &small);
	packet.length = small.length;
	memcpy(packet.bytes, frame_packet(&small), packet.length);
	fprintf(stderr, "  the least of it that differs: %s\n", compare_one(run, &small) ?: "?");
	packet_dump(&packet);
}

/* Which packets of a batch it was. */
static void explain_batch(struct run *run, const struct frame *frames, size_t length, uint64_t seed,
			  const char *difference)
{
	uint64_t before = run->differences;

	for (size_t i = 0; i < length && run->differences < before + 3; i++)
		if (compare_one(run, &frames[i]))
			print_difference(run, &frames[i], seed + i);
	if (run->differences > before)
		return;
	run->differences++;
	fprintf(stderr, "DIFFERENCE in %s, packets from TEST_SEED=%llu on, together only: %s\n",
		run->reading.scenario->name, (unsigned long long)seed, difference);
}

static void compare_many(struct run *run, uint64_t seed, uint64_t count)
{
	static struct frame frames[BATCH];
	static struct packet packet;
	struct df_counters before;
	tally ignored;

	memset(&before, 0, sizeof(before));
	(void)tally_since(run, &before, &ignored);
	for (uint64_t done = 0; done < count && !run->differences;) {
		size_t length = (size_t)MIN(count - done, (uint64_t)BATCH);
		const char *difference;

		for (size_t i = 0; i < length; i++) {
			aim_packet(seed + done + i, &run->reading.config, LENGTH_MAX, &packet);
			frame_fill(&frames[i], &packet);
		}
		difference = compare_frames(run, frames, length, &before);
		if (difference)
			explain_batch(run, frames, length, seed + done, difference);
		done += length;
	}
}

static void report_seen(struct run *run, uint64_t count)
{
	printf("%s %llu:", run->reading.scenario->name, (unsigned long long)count);
	for (unsigned int verdict = 0; verdict < DF_VERDICT_MAX; verdict++)
		for (unsigned int reason = 0; reason < DF_REASON_MAX; reason++) {
			run->reasons[reason] += run->seen[verdict][reason];
			if (run->seen[verdict][reason])
				printf(" %s/%s=%llu", event_verdict_name(verdict),
				       event_reason_name(reason),
				       (unsigned long long)run->seen[verdict][reason]);
		}
	printf("\n");
}

/* A generator that no longer reaches some reason would compare nothing there. */
static int check_coverage(const struct run *run, uint64_t count)
{
	int r = 0;

	for (unsigned int reason = DF_REASON_SANCTIONED; reason <= DF_REASON_TRANSPORT; reason++) {
		if (reason == DF_REASON_NO_POLICY || run->reasons[reason] > count / 5000)
			continue;
		fprintf(stderr, "only %llu packets met %s\n",
			(unsigned long long)run->reasons[reason], event_reason_name(reason));
		r = -EINVAL;
	}
	return r;
}

static int run_scenario(struct run *run, const struct scenario *scenario, uint64_t seed,
			uint64_t count)
{
	struct publication publication;
	struct problem problem = {{0}};
	int r = scenario_read(scenario, &run->reading);

	if (r < 0)
		return r;
	publication_init(&publication);
	r = publish_policy(&run->fence, &run->reading.image, false, &publication, &problem);
	if (r < 0) {
		fprintf(stderr, "%s\n", problem.text);
	} else {
		memset(run->seen, 0, sizeof(run->seen));
		compare_many(run, seed, count);
		report_seen(run, count);
	}
	publication_done(&publication);
	reading_done(&run->reading);
	return r;
}

static int run_all(struct run *run)
{
	const char *only = getenv("TEST_SCENARIO");
	uint64_t seed = setting("TEST_SEED", 20260101);
	uint64_t count = setting("TEST_PACKETS", PACKETS);
	uint64_t each = only ? count : (count + scenarios_length - 1) / scenarios_length;

	printf("TEST_SEED=%llu TEST_PACKETS=%llu\n", (unsigned long long)seed,
	       (unsigned long long)count);
	for (size_t i = 0; i < scenarios_length && !run->differences; i++) {
		if (only && !util_streq(only, scenarios[i].name))
			continue;
		if (run_scenario(run, &scenarios[i], seed + i * each, each) < 0)
			return -EINVAL;
	}
	printf("%llu packets, %llu differences\n", (unsigned long long)run->runs,
	       (unsigned long long)run->differences);
	if (run->differences || !run->runs)
		return -EINVAL;
	return only || count < 100000 ? 0 : check_coverage(run, count);
}

int main(void)
{
	static struct run run;
	struct kernel_features features = {0};
	const struct fence_options options = {.features = &features, .ring_bytes = 64 * 1024};
	struct problem problem = {{0}};
	int r = fence_probe(&features, &problem);

	if (r >= 0)
		r = fence_open(&options, &run.fence, &problem);
	if (r < 0) {
		fprintf(stderr, "%s\n", problem.text);
		return 2;
	}
	r = run_all(&run);
	fence_close(&run.fence);
	return r < 0 ? 1 : 0;
}
