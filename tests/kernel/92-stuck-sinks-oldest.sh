# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/91-stuck-sinks.sh
#
# The same with the oldest lines dropped.
DROP=oldest
. "$(dirname "$0")/91-stuck-sinks.sh"
