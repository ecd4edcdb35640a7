// SPDX-License-Identifier: GPL-2.0-or-later
#include "top_view.h"

#include <curses.h>
#include <locale.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <term.h>
#include <termios.h>
#include <time.h>
#include <wchar.h>

#include "when.h"

#undef lines /* one of the many macros of <term.h> */

#define HEAD_LINES 5 /* state, counters, seen, choice, heading */

enum color_pair { COLOR_PAIR_ALERT = 1, COLOR_PAIR_NOTE };

enum page { PAGE_ROWS, PAGE_EVENT, PAGE_HELP };

struct screen {
	struct top_feed *feed;
	struct top_settings *settings;
	struct top_view view;
	enum page page;
	bool paused, typing, stale;
	size_t selected, first; /* of the rows */
	char typed[128];
	char key[TOP_KEY_MAX]; /* of the selected row, which may move */
	char *event; /* on PAGE_EVENT: its line */
	size_t scrolled, lines; /* of that page */
	bool done;
};

/* What the handler of a crash needs, made before: it may call next to nothing. */
static struct termios saved_terminal;
static char restoring[256];
static size_t restoring_length;
static char signal_stack[64 * 1024];

/*
 * endwin() is not safe in a signal handler, least of all after a crash; tcsetattr() and write() are
 * (POSIX, 2.4.3). The handler is gone by then, so the signal does what it does.
 */
static void crash(int number)
{
	(void)!write(STDOUT_FILENO, restoring, restoring_length);
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &saved_terminal);
	(void)raise(number);
}

static void restoring_add(const char *capability)
{
	const char *text = tigetstr(capability);
	size_t length;

	if (!text || text == (char *)-1)
		return;
	length = strlen(text);
	if (length > sizeof(restoring) - restoring_length)
		return;
	memcpy(restoring + restoring_length, text, length);
	restoring_length += length;
}

static void crash_prepare(void)
{
	static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGTRAP};
	static const char *const capabilities[] = {"sgr0", "rmkx", "cnorm", "rmcup"};
	stack_t stack = {.ss_sp = signal_stack, .ss_size = sizeof(signal_stack)};
	struct sigaction action = {.sa_handler = crash, .sa_flags = SA_RESETHAND | SA_ONSTACK};

	restoring_length = 0;
	for (size_t i = 0; i < ARRAY_LEN(capabilities); i++)
		restoring_add(capabilities[i]);
	(void)sigaltstack(&stack, NULL);
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		(void)sigaction(signals[i], &action, NULL);
}

/* Those that end it come through a descriptor; ncurses has its own for SIGWINCH and SIGTSTP. */
static int signals_open(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGQUIT);
	sigaddset(&signals, SIGPIPE);
	if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0)
		return -errno;
	return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int64_t clock_read(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * WHEN_SECOND + now.tv_nsec / 1000;
}

/* What turns text around or is of no width a terminal agrees on, and would tear the columns. */
static bool is_harmless(wchar_t letter)
{
	return wcwidth(letter) > 0 && letter != 0xad && !(letter >= 0x200b && letter <= 0x200f) &&
	       !(letter >= 0x202a && letter <= 0x202e) && !(letter >= 0x2066 && letter <= 0x2069);
}

/* At most `width` columns, the rest of them blank. */
static void put_text(int y, int x, int width, const char *text)
{
	mbstate_t state = {0};
	size_t left = strlen(text);

	if (y >= LINES || x >= COLS || move(y, x) == ERR)
		return;
	width = MIN(width, COLS - x);
	while (left && width > 0) {
		wchar_t letter[2] = {0};
		size_t length = mbrtowc(letter, text, left, &state);

		if (length == (size_t)-1 || length == (size_t)-2 || !length) {
			state = (mbstate_t){0};
			letter[0] = L'?';
			length = 1;
		} else if (!is_harmless(letter[0])) {
			letter[0] = L'?';
		}
		if (wcwidth(letter[0]) > width)
			break;
		width -= wcwidth(letter[0]);
		(void)addnwstr(letter, 1);
		text += length;
		left -= length;
	}
	for (; width > 0; width--)
		(void)addch(' ');
}

static int rows_room(void)
{
	return MAX(LINES - HEAD_LINES - 1, 0);
}

/* The selection stays with its row, wherever that has gone, or else with its place. */
static void select_again(struct screen *screen)
{
	const struct top_view *view = &screen->view;
	size_t room = (size_t)MAX(rows_room(), 1);

	for (size_t i = 0; screen->selected && i < view->length; i++)
		if (util_streq(view->rows[i].key, screen->key)) {
			screen->selected = i;
			break;
		}
	screen->selected = view->length ? MIN(screen->selected, view->length - 1) : 0;
	if (view->length)
		memcpy(screen->key, view->rows[screen->selected].key, sizeof(screen->key));
	if (screen->selected < screen->first)
		screen->first = screen->selected;
	if (screen->selected >= screen->first + room)
		screen->first = screen->selected - room + 1;
}

/* The rows anew; when memory is short the old ones stay. */
static void screen_view(struct screen *screen)
{
	const struct top_settings *settings = screen->settings;
	struct top_view view;

	if (top_model_view(screen->feed->model, settings->grouping, settings->order,
			   settings->reverse, settings->filter, &view) < 0)
		return;
	top_view_done(&screen->view);
	screen->view = view;
	select_again(screen);
}

static void draw_head(const struct screen *screen)
{
	const struct top_feed *feed = screen->feed;
	char text[1024], state[900];

	top_write_state(feed, (uint64_t)time(NULL), state, sizeof(state));
	(void)snprintf(text, sizeof(text), "dnsfence top%s - %s", screen->paused ? " PAUSED" : "",
		       state);
	if (!feed->connected || util_streq(feed->counters.fence, "open"))
		attron(COLOR_PAIR(COLOR_PAIR_ALERT) | A_BOLD);
	put_text(0, 0, COLS, text);
	attrset(A_NORMAL);
	top_write_counters(feed, text, sizeof(text));
	put_text(1, 0, COLS, text);
	top_write_seen(feed, text, sizeof(text));
	if (feed->model->lost || feed->counters.lost)
		attron(COLOR_PAIR(COLOR_PAIR_NOTE));
	put_text(2, 0, COLS, text);
	attrset(A_NORMAL);
	top_write_choice(screen->settings, &screen->view, text, sizeof(text));
	put_text(3, 0, COLS, text);
}

/* Columns for the key; a narrow screen has no room for the latest event beside it. */
static int key_width(void)
{
	int room = COLS - 47;

	return room < 60 ? MAX(room, 8) : room / 2;
}

static void draw_rows(const struct screen *screen)
{
	int64_t now = clock_read(CLOCK_REALTIME);
	char text[1024];

	top_write_heading(screen->settings, key_width(), text, sizeof(text));
	attron(A_REVERSE);
	put_text(4, 0, COLS, text);
	attroff(A_REVERSE);
	for (int line = 0; line < rows_room(); line++) {
		size_t row = screen->first + (size_t)line;

		if (row >= screen->view.length)
			break;
		top_write_row(&screen->view.rows[row], key_width(), now, text, sizeof(text));
		if (row == screen->selected)
			attron(A_BOLD | A_UNDERLINE);
		put_text(HEAD_LINES + line, 0, COLS, text);
		attrset(A_NORMAL);
	}
	if (!screen->view.length)
		put_text(HEAD_LINES + 1, 2, COLS - 2,
			 screen->settings->filter[0] ? "nothing matches the filter"
						     : "no violation since this began");
}

/* Where the fields of an event are drawn. */
struct field_lines {
	const struct screen *screen;
	size_t line;
	int width;
};

static void draw_field(void *context, const char *field, const char *value)
{
	struct field_lines *lines = context;
	size_t line = lines->line++;

	if (line < lines->screen->scrolled || line - lines->screen->scrolled > (size_t)LINES)
		return;
	line -= lines->screen->scrolled;
	if ((int)line + 2 >= LINES)
		return;
	attron(A_BOLD);
	put_text((int)line + 1, 0, lines->width, field);
	attroff(A_BOLD);
	put_text((int)line + 1, lines->width + 2, COLS - lines->width - 2, value);
}

static void draw_event(struct screen *screen)
{
	struct field_lines lines = {.screen = screen};
	struct entry entry;

	attron(A_REVERSE);
	put_text(0, 0, COLS, "the latest event of this row");
	attroff(A_REVERSE);
	if (!screen->event || entry_parse(screen->event, strlen(screen->event), &entry) < 0) {
		put_text(2, 2, COLS - 2, "it was too long to be kept");
		return;
	}
	lines.width = (int)MIN(entry_width(&entry), (size_t)MAX(COLS / 2, 1));
	entry_each(&entry, draw_field, &lines);
	screen->lines = lines.line;
	entry_done(&entry);
}

static void draw_help(void)
{
	static const char *const lines[] = {
		"g, 1 to 5   group by subject, resolver, question, process, policy",
		"s           sort by rate, total, denied, audited, allowed, last, name",
		"r           reverse the order",
		"/           filter: type a text that rows hold, Enter; nothing shows all again",
		"p, space    pause: the screen stays as it is, counting goes on",
		"Enter       open the row's latest event, with all its fields; Esc goes back",
		"up, down, page up, page down, home, end    move",
		"c           forget what was counted",
		"h, ?        this",
		"q           quit",
		"",
		"\"kernel\" is what the programs have counted since the fence closed; \"seen\" and",
		"the rows are the events that came since this began. Of each grouping the rows",
		"are bounded: a new one takes the place of the one with the smallest total.",
	};

	attron(A_REVERSE);
	put_text(0, 0, COLS, "keys");
	attroff(A_REVERSE);
	for (size_t i = 0; i < ARRAY_LEN(lines) && (int)i + 3 < LINES; i++)
		put_text((int)i + 1, 1, COLS - 1, lines[i]);
}

static void draw_foot(const struct screen *screen)
{
	char text[256];

	if (screen->typing)
		(void)snprintf(text, sizeof(text), "filter: %s_", screen->typed);
	else
		(void)snprintf(text, sizeof(text), "%s",
			       screen->page == PAGE_ROWS ? "g group  s sort  / filter  p pause  "
							   "Enter event  h help  q quit"
							 : "Esc back  q quit");
	attron(A_REVERSE);
	put_text(LINES - 1, 0, COLS - 1, text);
	attroff(A_REVERSE);
}

static void screen_draw(struct screen *screen)
{
	erase();
	if (screen->page == PAGE_EVENT) {
		draw_event(screen);
	} else if (screen->page == PAGE_HELP) {
		draw_help();
	} else {
		draw_head(screen);
		draw_rows(screen);
	}
	draw_foot(screen);
	(void)refresh();
}

static void screen_regroup(struct screen *screen, enum top_grouping grouping)
{
	screen->settings->grouping = grouping;
	screen->selected = screen->first = 0;
	screen_view(screen);
}

static void screen_open_event(struct screen *screen)
{
	const struct top_view *view = &screen->view;
	const struct top_event *event;

	if (screen->selected >= view->length)
		return;
	event = view->rows[screen->selected].event;
	free(screen->event);
	screen->event = event && event->line_length ? strdup(event->line) : NULL;
	screen->scrolled = 0;
	screen->page = PAGE_EVENT;
}

static void screen_move(struct screen *screen, long by)
{
	size_t *at = screen->page == PAGE_EVENT ? &screen->scrolled : &screen->selected;
	size_t length = screen->page == PAGE_EVENT ? screen->lines : screen->view.length;
	long to = (long)*at + by;

	*at = to < 0 || !length ? 0 : MIN((size_t)to, length - 1);
	if (screen->page == PAGE_ROWS && screen->view.length) {
		memcpy(screen->key, screen->view.rows[screen->selected].key, sizeof(screen->key));
		select_again(screen);
	}
}

static void key_typed(struct screen *screen, int key)
{
	size_t length = strlen(screen->typed);

	if (key == '\n' || key == '\r' || key == KEY_ENTER) {
		memcpy(screen->settings->filter, screen->typed, sizeof(screen->typed));
		screen->typing = false;
		screen->selected = screen->first = 0;
		screen_view(screen);
	} else if (key == 27) {
		screen->typing = false;
	} else if ((key == KEY_BACKSPACE || key == 127 || key == 8) && length) {
		screen->typed[length - 1] = 0;
	} else if (key >= ' ' && key < 256 && key != 127 && length + 1 < sizeof(screen->typed)) {
		screen->typed[length] = (char)key;
		screen->typed[length + 1] = 0;
	}
}

static bool key_moves(struct screen *screen, int key)
{
	const struct {
		int key;
		long by;
	} moves[] = {
		{KEY_UP, -1},
		{KEY_DOWN, 1},
		{'k', -1},
		{'j', 1},
		{KEY_PPAGE, -MAX(rows_room(), 1)},
		{KEY_NPAGE, MAX(rows_room(), 1)},
		{KEY_HOME, -100000000},
		{KEY_END, 100000000},
	};

	for (size_t i = 0; i < ARRAY_LEN(moves); i++)
		if (moves[i].key == key) {
			screen_move(screen, moves[i].by);
			return true;
		}
	return false;
}

static void screen_forget(struct screen *screen)
{
	top_model_clear(screen->feed->model, clock_read(CLOCK_MONOTONIC));
	screen->selected = screen->first = 0;
	screen_view(screen);
}

static void key_of_rows(struct screen *screen, int key)
{
	struct top_settings *settings = screen->settings;

	if (key >= '1' && key < '1' + TOP_GROUPING_MAX) {
		screen_regroup(screen, (enum top_grouping)(key - '1'));
		return;
	}
	switch (key) {
	case 'g':
		screen_regroup(screen, (settings->grouping + 1) % TOP_GROUPING_MAX);
		break;
	case 's':
		settings->order = (settings->order + 1) % TOP_ORDER_MAX;
		screen_view(screen);
		break;
	case 'r':
		settings->reverse = !settings->reverse;
		screen_view(screen);
		break;
	case '/':
		screen->typing = true;
		screen->typed[0] = 0;
		break;
	case 'p':
	case ' ':
		screen->paused = !screen->paused;
		break;
	case 'c':
		screen_forget(screen);
		break;
	case '\n':
	case '\r':
	case KEY_ENTER:
		screen_open_event(screen);
		break;
	}
}

static void screen_key(struct screen *screen, int key)
{
	screen->stale = true;
	if (key == KEY_RESIZE)
		select_again(screen);
	else if (screen->typing)
		key_typed(screen, key);
	else if (key == 'q')
		screen->done = true;
	else if (key == 'h' || key == '?')
		screen->page = PAGE_HELP;
	else if (key_moves(screen, key))
		return;
	else if (screen->page == PAGE_ROWS)
		key_of_rows(screen, key);
	else
		screen->page = PAGE_ROWS; /* any other key goes back */
}

static void screen_read_keys(struct screen *screen)
{
	int key;

	while (!screen->done && (key = getch()) != ERR)
		screen_key(screen, key);
}

/* Every `delay` seconds the rates and rows are new. */
static void screen_tick(struct screen *screen, int64_t now, int64_t *next)
{
	if (now < *next)
		return;
	*next = now + screen->settings->delay * WHEN_SECOND;
	if (screen->paused)
		return;
	top_model_measure(screen->feed->model, now);
	screen_view(screen);
	screen->stale = true;
}

static void screen_loop(struct screen *screen, int signals)
{
	int64_t next = clock_read(CLOCK_MONOTONIC) + WHEN_SECOND / 2, now;

	screen->stale = true;
	while (!screen->done) {
		struct pollfd fds[TOP_FEED_FDS + 2];
		bool connected = screen->feed->connected;

		now = clock_read(CLOCK_MONOTONIC);
		top_feed_step(screen->feed, now);
		screen->stale |= connected != screen->feed->connected;
		screen_tick(screen, now, &next);
		screen_read_keys(screen);
		if (screen->stale)
			screen_draw(screen);
		screen->stale = false;
		top_feed_poll(screen->feed, fds);
		fds[TOP_FEED_FDS] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
		fds[TOP_FEED_FDS + 1] = (struct pollfd){.fd = signals, .events = POLLIN};
		if (poll(fds, ARRAY_LEN(fds), (int)MIN(MAX((next - now) / 1000, 1), 250)) <= 0)
			continue;
		if (fds[TOP_FEED_FDS + 1].revents ||
		    (fds[TOP_FEED_FDS].revents & (POLLHUP | POLLERR | POLLNVAL)))
			screen->done = true;
	}
}

static void screen_begin(void)
{
	const char *no_color = getenv("NO_COLOR");

	(void)cbreak();
	(void)noecho();
	(void)nonl();
	(void)keypad(stdscr, TRUE);
	(void)nodelay(stdscr, TRUE);
	(void)set_escdelay(50);
	(void)curs_set(0);
	if ((no_color && *no_color) || !has_colors())
		return;
	(void)start_color();
	(void)use_default_colors();
	(void)init_pair(COLOR_PAIR_ALERT, COLOR_RED, -1);
	(void)init_pair(COLOR_PAIR_NOTE, COLOR_YELLOW, -1);
}

int top_view_run(struct top_feed *feed, struct top_settings *settings, struct problem *problem)
{
	struct screen screen = {.feed = feed, .settings = settings};
	_cleanup_close_ int signals = -1;
	SCREEN *terminal;

	if (tcgetattr(STDIN_FILENO, &saved_terminal) < 0 || (signals = signals_open()) < 0)
		return problem_set(problem, EIO, "cannot take over the terminal: %s",
				   strerror(errno));
	(void)setlocale(LC_CTYPE, "");
	terminal = newterm(NULL, stdout, stdin);
	if (!terminal)
		return problem_set(problem, EIO,
				   "the terminal '%s' is not known; set TERM, or \"dnsfence top "
				   "--batch\" prints tables",
				   getenv("TERM") ?: "");
	crash_prepare();
	screen_begin();
	screen_loop(&screen, signals);
	(void)endwin();
	delscreen(terminal);
	top_view_done(&screen.view);
	free(screen.event);
	return 0;
}
