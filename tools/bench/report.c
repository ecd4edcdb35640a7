// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rounds of numbers -> medians, quartiles, and the ratios that the project watches. An overhead
 * is the median of the differences to the arm "none" of the same round, never the difference of
 * two medians. Judges nothing: a target is printed beside its ratio and no more.
 */
#include <sys/utsname.h>
#include <time.h>

#include "report.h"
#include "util.h"

#define COLUMN 18

static const char *const measure_names[] = {
#define X(id, name, title, batches, operations) name,
	MEASURES(X)
#undef X
};

static const char *const measure_titles[] = {
#define X(id, name, title, batches, operations) title,
	MEASURES(X)
#undef X
};

/* low..high: where the median of all possible rounds is, 95 %, from order statistics. */
struct summary {
	bool present;
	double median, q1, q3, low, high;
};

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double rank_of(const double *sorted, int length, double rank)
{
	int below = rank < 0 ? 0 : rank > length - 1 ? length - 1 : (int)rank;
	int above = MIN(below + 1, length - 1);
	double part = rank - below;

	if (part <= 0)
		return sorted[below];
	return sorted[below] + MIN(part, 1) * (sorted[above] - sorted[below]);
}

static struct summary summarise(double *values, int length)
{
	double middle = (length - 1) / 2.0, margin = 0.98 * sqrt(length);

	if (!length || isnan(values[0]))
		return (struct summary){};
	qsort(values, length, sizeof(*values), compare_doubles);
	return (struct summary){
		.present = true,
		.median = rank_of(values, length, middle),
		.q1 = rank_of(values, length, (length - 1) * 0.25),
		.q3 = rank_of(values, length, (length - 1) * 0.75),
		.low = rank_of(values, length, middle - margin),
		.high = rank_of(values, length, middle + margin),
	};
}

/* Of an arm against another one in the same rounds; NULL: absolute. */
static struct summary summary_of(const struct results *results, enum arm_id arm,
				 const struct arm *reference, enum measure measure)
{
	_cleanup_free_ double *values = calloc(results->rounds, sizeof(*values));
	const struct arm *mine = &results->arms[arm];

	if (!values || mine->netns < 0 || (reference && reference->netns < 0))
		return (struct summary){};
	for (int i = 0; i < results->rounds; i++)
		values[i] =
			mine->values[measure][i] - (reference ? reference->values[measure][i] : 0);
	return summarise(values, results->rounds);
}

static struct summary overhead_of(const struct results *results, enum arm_id arm,
				  enum measure measure)
{
	return summary_of(results, arm, &results->arms[ARM_NONE], measure);
}

enum ratio_kind {
	RATIO_OVERHEADS, /* overhead of arm / overhead of against */
	RATIO_OF_WHOLE, /* overhead of arm / absolute of against */
};

static const struct ratio {
	const char *name;
	const char *target;
	enum measure measure;
	enum arm_id arm, against;
	enum ratio_kind kind;
} ratios[] = {
	{"non-DNS UDP, dnsfence / empty program", "<= 1.25", MEASURE_UDP, ARM_DNSFENCE,
	 ARM_EMPTY_PACKET, RATIO_OVERHEADS},
	{"non-DNS UDP, dnsfence / nft", "<= 0.75", MEASURE_UDP, ARM_DNSFENCE, ARM_NFT,
	 RATIO_OVERHEADS},
	{"connected UDP, dnsfence / empty program", "", MEASURE_UDP_CONNECTED, ARM_DNSFENCE,
	 ARM_EMPTY_PACKET, RATIO_OVERHEADS},
	{"allowed DNS, dnsfence / empty program", "<= 2", MEASURE_DNS, ARM_DNSFENCE,
	 ARM_EMPTY_PACKET, RATIO_OVERHEADS},
	{"allowed DNS, dnsfence / nft", "", MEASURE_DNS, ARM_DNSFENCE, ARM_NFT, RATIO_OVERHEADS},
	{"allowed DNS, three policies / one", "", MEASURE_DNS, ARM_DNSFENCE_SEVERAL, ARM_DNSFENCE,
	 RATIO_OVERHEADS},
	{"non-DNS UDP, edge / empty tc program", "", MEASURE_UDP, ARM_EDGE, ARM_EMPTY_TC,
	 RATIO_OVERHEADS},
	{"allowed DNS, edge / empty tc program", "", MEASURE_DNS, ARM_EDGE, ARM_EMPTY_TC,
	 RATIO_OVERHEADS},
	{"TCP cycle, connect hook / whole cycle", "<= 0.01", MEASURE_TCP, ARM_DNSFENCE_CONNECT,
	 ARM_NONE, RATIO_OF_WHOLE},
	{"TCP cycle, dnsfence / nft", "", MEASURE_TCP, ARM_DNSFENCE, ARM_NFT, RATIO_OVERHEADS},
	{"allowed DNS, 100,000 resolvers / 10", "0.9 to 1.1", MEASURE_DNS, ARM_DNSFENCE_LARGE,
	 ARM_DNSFENCE_LAST, RATIO_OVERHEADS},
};

/* low and high: the widest that both 95 % intervals allow. */
static struct summary ratio_of(const struct results *results, const struct ratio *ratio)
{
	struct summary top = overhead_of(results, ratio->arm, ratio->measure);
	struct summary below = ratio->kind == RATIO_OF_WHOLE
				       ? summary_of(results, ratio->against, NULL, ratio->measure)
				       : overhead_of(results, ratio->against, ratio->measure);

	if (!top.present || !below.present || below.low <= 0)
		return (struct summary){};
	return (struct summary){
		.present = true,
		.median = top.median / below.median,
		.low = top.low / (top.low < 0 ? below.low : below.high),
		.high = top.high / (top.high < 0 ? below.high : below.low),
	};
}

static void print_cell(const struct summary *summary)
{
	char cell[64] = "-";

	if (summary->present)
		snprintf(cell, sizeof(cell), "%.0f [%.0f..%.0f]", summary->median, summary->q1,
			 summary->q3);
	printf("%*s", COLUMN, cell);
}

static void print_head(const char *title, enum measure first, enum measure behind)
{
	printf("\n%-34s", title);
	for (enum measure measure = first; measure < behind; measure++)
		printf("%*s", COLUMN, measure_titles[measure]);
	printf("\n");
}

static void print_row(const struct results *results, enum arm_id arm, bool absolute,
		      enum measure first, enum measure behind)
{
	printf("%-34s", results->arms[arm].title);
	for (enum measure measure = first; measure < behind; measure++) {
		struct summary cell = absolute ? summary_of(results, arm, NULL, measure)
					       : overhead_of(results, arm, measure);

		print_cell(&cell);
	}
	printf("\n");
}

static void print_ratios(const struct results *results)
{
	printf("\n%-44s%8s  %-18s%s\n", "ratio", "value", "95 % interval", "target");
	for (size_t i = 0; i < ARRAY_LEN(ratios); i++) {
		struct summary ratio = ratio_of(results, &ratios[i]);
		char interval[64] = "";

		if (!ratio.present) {
			printf("%-44s%8s  %-18s%s\n", ratios[i].name, "-", "", ratios[i].target);
			continue;
		}
		snprintf(interval, sizeof(interval), "%.3f to %.3f", ratio.low, ratio.high);
		printf("%-44s%8.3f  %-18s%s\n", ratios[i].name, ratio.median, interval,
		       ratios[i].target);
	}
}

static void print_scaling(const struct scaling *scaling)
{
	printf("\nBPF_PROG_TEST_RUN of the packet program, ns a run: scaling only, no overhead\n"
	       "  allowed DNS  10 resolvers %.0f, 100,000 %.0f, ratio %.3f (target 0.9 to 1.1)\n"
	       "  non-DNS      10 resolvers %.0f, 100,000 %.0f\n",
	       scaling->dns_small, scaling->dns_large, scaling->dns_large / scaling->dns_small,
	       scaling->plain_small, scaling->plain_large);
}

int report_print(const struct results *results)
{
	struct utsname host;

	(void)uname(&host);
	printf("kernel %s, CPU %d, %d rounds in %.0f s; median [quartiles], nanoseconds\n",
	       host.release, results->cpu, results->rounds, results->seconds);
	if (results->links_before > 0 || results->links_after > 0)
		printf("note: %d cgroup programs of others were attached elsewhere on this host "
		       "before, %d after; what they cost a bystander is in every arm\n",
		       results->links_before, results->links_after);
	print_head("one operation", 0, MEASURE_ABSOLUTE);
	print_row(results, ARM_NONE, true, 0, MEASURE_ABSOLUTE);
	print_head("what it adds", 0, MEASURE_ABSOLUTE);
	for (enum arm_id arm = ARM_NONE + 1; arm < ARM_MAX; arm++)
		if (results->arms[arm].netns >= 0)
			print_row(results, arm, false, 0, MEASURE_ABSOLUTE);
	print_head("one denied call, absolute", MEASURE_ABSOLUTE, MEASURE_MAX);
	for (enum arm_id arm = 0; arm < ARM_MAX; arm++)
		if (results->arms[arm].netns >= 0 &&
		    (results->arms[arm].blocks_udp || results->arms[arm].tcp == TCP_DENIED))
			print_row(results, arm, true, MEASURE_ABSOLUTE, MEASURE_MAX);
	print_ratios(results);
	if (results->has_scaling)
		print_scaling(&results->scaling);
	if (results->notes_len)
		printf("\n");
	for (size_t i = 0; i < results->notes_len; i++)
		printf("%s\n", results->notes[i]);
	return fflush(stdout) ? -errno : 0;
}

/* Printable text without control characters, as all of it here is. */
static void json_put(FILE *file, const char *text, size_t length)
{
	fputc('"', file);
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '"' || text[i] == '\\')
			fputc('\\', file);
		fputc(text[i], file);
	}
	fputc('"', file);
}

static void json_summary(FILE *file, const char *name, const struct summary *summary)
{
	fprintf(file, "\"%s\":{\"median\":%.1f,\"q1\":%.1f,\"q3\":%.1f,\"low\":%.1f,\"high\":%.1f}",
		name, summary->median, summary->q1, summary->q3, summary->low, summary->high);
}

static void json_arm(FILE *file, const struct results *results, enum arm_id arm)
{
	const char *comma = "";

	fprintf(file, "{\"id\":\"%s\",\"title\":\"%s\",\"measures\":{", results->arms[arm].id,
		results->arms[arm].title);
	for (enum measure measure = 0; measure < MEASURE_MAX; measure++) {
		struct summary absolute = summary_of(results, arm, NULL, measure);
		struct summary overhead = overhead_of(results, arm, measure);

		if (!absolute.present)
			continue;
		fprintf(file, "%s\"%s\":{", comma, measure_names[measure]);
		json_summary(file, "absolute_ns", &absolute);
		if (arm != ARM_NONE && overhead.present) {
			fputc(',', file);
			json_summary(file, "overhead_ns", &overhead);
		}
		fputc('}', file);
		comma = ",";
	}
	fputs("}}", file);
}

static void json_ratios(FILE *file, const struct results *results)
{
	const char *comma = "";

	fputs("\"ratios\":[", file);
	for (size_t i = 0; i < ARRAY_LEN(ratios); i++) {
		struct summary ratio = ratio_of(results, &ratios[i]);

		if (!ratio.present)
			continue;
		fprintf(file,
			"%s\n {\"name\":\"%s\",\"value\":%.4f,\"low\":%.4f,\"high\":%.4f,"
			"\"target\":\"%s\"}",
			comma, ratios[i].name, ratio.median, ratio.low, ratio.high,
			ratios[i].target);
		comma = ",";
	}
	fputs("]", file);
}

static void json_host(FILE *file)
{
	_cleanup_file_ FILE *cpuinfo = fopen("/proc/cpuinfo", "re");
	char line[256], date[64], *model;
	time_t now = time(NULL);
	struct utsname host;
	struct tm utc;

	(void)uname(&host);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
	fprintf(file, "\"date\":\"%s\",\"kernel\":\"%s\",\"machine\":\"%s\"", date, host.release,
		host.machine);
	while (cpuinfo && fgets(line, sizeof(line), cpuinfo)) {
		model = strchr(line, ':');
		if (strncmp(line, "model name", strlen("model name")) != 0 || !model)
			continue;
		fputs(",\"cpu_model\":", file);
		json_put(file, model + 2, strcspn(model + 2, "\n"));
		break;
	}
}

static void json_notes(FILE *file, const struct results *results)
{
	fputs("\"notes\":{", file);
	for (size_t i = 0; i < results->notes_len; i++) {
		const char *note = results->notes[i], *equals = strchr(note, '=');

		fputs(i ? "," : "", file);
		json_put(file, note, equals - note);
		fputc(':', file);
		json_put(file, equals + 1, strlen(equals + 1));
	}
	fputs("}", file);
}

int report_write_json(const struct results *results, const char *path)
{
	_cleanup_file_ FILE *file = fopen(path, "we");
	const char *comma = "";

	if (!file)
		return -errno;
	fputs("{", file);
	json_host(file);
	fprintf(file,
		",\"pinned_cpu\":%d,\"rounds\":%d,\"seconds\":%.1f,\"foreign_links_before\":%d,"
		"\"foreign_links_after\":%d,\n\"arms\":[",
		results->cpu, results->rounds, results->seconds, results->links_before,
		results->links_after);
	for (enum arm_id arm = 0; arm < ARM_MAX; arm++) {
		if (results->arms[arm].netns < 0)
			continue;
		fprintf(file, "%s\n ", comma);
		json_arm(file, results, arm);
		comma = ",";
	}
	fputs("],\n", file);
	json_ratios(file, results);
	if (results->has_scaling)
		fprintf(file,
			",\n\"test_run_scaling_only_ns\":{\"dns_10\":%.0f,\"dns_100000\":%.0f,"
			"\"plain_10\":%.0f,\"plain_100000\":%.0f}",
			results->scaling.dns_small, results->scaling.dns_large,
			results->scaling.plain_small, results->scaling.plain_large);
	fputs(",\n", file);
	json_notes(file, results);
	fputs("}\n", file);
	if (ferror(file) || fflush(file))
		return -EIO;
	return 0;
}
