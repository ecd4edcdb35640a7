# SPDX-License-Identifier: GPL-2.0-or-later
# A later version with another layout: its maps cannot be shared with this one's.
s/^#define DF_ABI_VERSION .*/#define DF_ABI_VERSION 255/
s/^\t__u64 lost; \/\* violations whose record found the ring full \*\//&\n\t__u64 spare[3];/
