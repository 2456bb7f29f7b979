/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One report line from a peer. */
#include "herd/report.h"

#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span line = span_of((const char *)data, size);
	struct report report;
	struct buf out;

	if (report_parse(line, &report) != HERD_OK)
		return 0;
	assert(report_line_len(&report) == size);
	assert(client_id_is_valid(report.client));
	assert(node_name_is_valid(report.origin));
	assert(report_compare_all(&report, &report) == 0);
	(void)report_received_ns(&report);
	buf_init(&out, size);
	if (report_format(&out, &report) == HERD_OK)
		assert(span_equal(buf_span(&out), line));
	buf_release(&out);
	return 0;
}
