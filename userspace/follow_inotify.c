// SPDX-License-Identifier: GPL-2.0-or-later
#include "follow_inotify.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "cgroup.h"

/* A cgroup's directory. */
struct watched {
	int number; /* of the watch */
	uint64_t id;
	char *path; /* below the mount */
};

struct follow_inotify {
	struct follow_handler handler;
	char *mount;
	int mount_fd; /* the owner's */
	int fd;
	struct watched *list; /* by number, which inotify counts up */
	size_t length;
	bool lost;
};

struct follow_inotify *follow_inotify_new(const struct follow_options *options,
					  const struct follow_handler *handler)
{
	struct follow_inotify *inotify = calloc(1, sizeof(*inotify));

	if (!inotify)
		return NULL;
	*inotify = (struct follow_inotify){
		.handler = *handler,
		.mount = strdup(options->mount),
		.mount_fd = options->mount_fd,
		.fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK),
	};
	if (inotify->mount && inotify->fd >= 0)
		return inotify;
	follow_inotify_free(inotify);
	return NULL;
}

void follow_inotify_free(struct follow_inotify *inotify)
{
	if (!inotify)
		return;
	for (size_t i = 0; i < inotify->length; i++)
		free(inotify->list[i].path);
	free(inotify->list);
	util_closep(&inotify->fd);
	free(inotify->mount);
	free(inotify);
}

int follow_inotify_fd(const struct follow_inotify *inotify)
{
	return inotify->fd;
}

static struct watched *watched_find(const struct follow_inotify *inotify, int number)
{
	size_t from = 0, to = inotify->length;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (inotify->list[middle].number < number)
			from = middle + 1;
		else
			to = middle;
	}
	return from < inotify->length && inotify->list[from].number == number ? &inotify->list[from]
									      : NULL;
}

static void watched_remove(struct follow_inotify *inotify, struct watched *watched)
{
	size_t at = (size_t)(watched - inotify->list);

	free(watched->path);
	inotify->length--;
	memmove(watched, watched + 1, (inotify->length - at) * sizeof(*watched));
}

/* A removed cgroup has no id to ask for any more, but its path was known. */
static const struct watched *watched_by_path(const struct follow_inotify *inotify, const char *path)
{
	for (size_t i = inotify->length; i > 0; i--)
		if (util_streq(inotify->list[i - 1].path, path))
			return &inotify->list[i - 1];
	return NULL;
}

/* What was made there before the watch was. */
static void tell_children(struct follow_inotify *inotify, uint64_t id, const char *full)
{
	DIR *dir = opendir(full);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (entry->d_type == DT_DIR && !util_streq(entry->d_name, ".") &&
		    !util_streq(entry->d_name, ".."))
			inotify->handler.came(inotify->handler.context, entry->d_ino, id,
					      entry->d_name);
	if (dir)
		(void)closedir(dir);
}

void follow_inotify_meet(struct follow_inotify *inotify, uint64_t id, const char *path)
{
	struct watched *place;
	char full[PATH_MAX];
	struct stat st;
	int number;

	snprintf(full, sizeof(full), "%s%s", inotify->mount, path);
	number = inotify_add_watch(inotify->fd, full, IN_CREATE | IN_DELETE | IN_ONLYDIR);
	if (number < 0) { /* gone, or fs.inotify.max_user_watches */
		inotify->lost |= errno != ENOENT;
		return;
	}
	if (watched_find(inotify, number))
		return;
	place = ARRAY_APPEND(inotify->list, inotify->length);
	if (!place)
		return;
	*place = (struct watched){number, id, strdup(path)};
	if (!place->path)
		inotify->length--;
	else if (stat(full, &st) == 0 && st.st_nlink != 2)
		tell_children(inotify, id, full);
}

void follow_inotify_forget(struct follow_inotify *inotify, uint64_t id)
{
	for (size_t i = inotify->length; i > 0; i--)
		if (inotify->list[i - 1].id == id) {
			(void)inotify_rm_watch(inotify->fd, inotify->list[i - 1].number);
			watched_remove(inotify, &inotify->list[i - 1]);
			return;
		}
}

static void take_event(struct follow_inotify *inotify, const struct inotify_event *event)
{
	const struct follow_handler *handler = &inotify->handler;
	const struct watched *in = watched_find(inotify, event->wd), *gone;
	char path[PATH_MAX];
	uint64_t id;

	if (event->mask & IN_Q_OVERFLOW)
		inotify->lost = true;
	if (!in || !(event->mask & IN_ISDIR) || !event->len)
		return;
	snprintf(path, sizeof(path), "%s/%s", in->path[1] ? in->path : "", event->name);
	gone = event->mask & IN_DELETE ? watched_by_path(inotify, path) : NULL;
	if (gone)
		handler->went(handler->context, gone->id);
	else if ((event->mask & IN_CREATE) && cgroup_id_of(inotify->mount_fd, path, &id) == 0)
		handler->came(handler->context, id, in->id, event->name);
}

bool follow_inotify_read(struct follow_inotify *inotify)
{
	_Alignas(struct inotify_event) char buffer[16384];
	bool lost;
	ssize_t length;

	while ((length = read(inotify->fd, buffer, sizeof(buffer))) > 0)
		for (char *at = buffer; at < buffer + length;) {
			const struct inotify_event *event = (const struct inotify_event *)at;

			take_event(inotify, event);
			at += sizeof(*event) + event->len;
		}
	lost = inotify->lost;
	inotify->lost = false;
	return lost;
}
