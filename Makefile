# SPDX-License-Identifier: GPL-3.0-or-later
# Herd: `make help` lists the targets.

MODE ?= release
V ?= 0
PREFIX ?= /usr/local
DESTDIR ?=
CC = gcc
PYTHON ?= /usr/bin/python3
FUZZ_S ?= 30

VERSION := $(shell sed -n 's/^.define HERD_VERSION "\(.*\)"/\1/p' include/herd/version.h)
SHAREDIR = $(PREFIX)/share/herd

# --- packages: the one list of what Debian has to bring --------------------
BUILD_PACKAGES := gcc make pkg-config libc6-dev libcrypt-dev libevent-dev \
	libcurl4-openssl-dev libreadline-dev libcjson-dev libpq-dev \
	libsqlite3-dev libssl-dev libyaml-dev
TEST_PACKAGES := libcmocka-dev python3 python3-pytest python3-pytest-xdist \
	python3-pexpect python3-h2 python3-pyte python3-yaml openssl curl \
	iproute2 postgresql procps util-linux zsh fish logrotate \
	prometheus
LINT_PACKAGES := clang-14 clang-format-14 clang-tidy-14 cppcheck mandoc \
	shellcheck libclang-rt-14-dev
BENCH_PACKAGES := redis-server memcached chrony valgrind
# For the Debian package and its test on a machine of its own.
DEB_PACKAGES := build-essential debhelper dpkg-dev lintian
DEB_CHECK_PACKAGES := debootstrap systemd-container

# --- sources, by room --------------------------------------------------------
COMMON_SRC := common/address.c common/buf.c common/client_view.c \
	common/diagnostics.c common/eager.c common/error.c common/file.c \
	common/filter.c common/framer.c common/gazetteer_file.c common/glob.c \
	common/graph.c common/herdfile.c common/herdreader.c \
	common/herdreader_check.c common/herdreader_nodes.c common/json.c \
	common/json_members.c common/kd_tree.c common/keyfile.c \
	common/location.c common/opening_hours.c common/place_types.c \
	common/report.c common/request.c common/resolver.c common/settings.c \
	common/siphash.c common/store_row.c common/street.c common/text.c \
	common/text_fold.c common/time.c common/time_histogram.c \
	common/users_file.c common/users_hash.c common/view.c \
	common/yamltree.c
BASE_SRC := server/base/certificate.c server/base/clock_set.c \
	server/base/keyring.c server/base/log.c server/base/loop_watch.c \
	server/base/mailbox.c server/base/notify.c server/base/signals.c \
	server/base/thread.c server/base/tick.c server/base/traffic.c \
	server/base/watchdog.c
CORE_SRC := server/core/backoff.c server/core/batch_timer.c \
	server/core/board.c server/core/commit.c server/core/digest.c \
	server/core/exchange.c server/core/fifo.c server/core/heap.c \
	server/core/heavy.c server/core/least.c server/core/link.c \
	server/core/link_conn.c server/core/link_flood.c \
	server/core/link_history.c server/core/names.c server/core/outbox.c \
	server/core/pack.c server/core/record.c server/core/roster.c \
	server/core/session.c server/core/session_exchange.c \
	server/core/session_hello.c server/core/session_input.c \
	server/core/shard.c server/core/short_cut.c server/core/slot.c \
	server/core/table.c server/core/table_walk.c server/core/timekeeper.c
NODE_SRC := server/node/config.c server/node/files.c server/node/limits.c \
	server/node/memory_bound.c server/node/node.c server/node/reload.c \
	server/node/settings_apply.c server/node/tls_files.c
PLACES_SRC := server/places/answer.c server/places/api_key.c \
	server/places/attribution.c server/places/breaker.c \
	server/places/cache.c server/places/fetch.c server/places/gazetteer.c \
	server/places/gazetteer_filter.c server/places/gazetteer_hours.c \
	server/places/gazetteer_matches.c server/places/gazetteer_names.c \
	server/places/gazetteer_place.c server/places/gazetteer_reader.c \
	server/places/gazetteer_sets.c server/places/google.c \
	server/places/google_legacy.c server/places/json_scan.c \
	server/places/lookup.c server/places/lookup_request.c \
	server/places/network.c server/places/olc.c server/places/photon.c \
	server/places/places.c server/places/places_asker.c \
	server/places/places_report.c server/places/places_search.c \
	server/places/places_stats.c server/places/provider.c \
	server/places/question.c server/places/result_icon.c \
	server/places/test_call.c server/places/time_zone.c \
	server/places/upstream.c server/places/upstream_json.c
STORE_SRC := server/store/engine_postgres.c server/store/engine_sqlite.c \
	server/store/postgres_check.c server/store/postgres_conn.c \
	server/store/postgres_fault.c server/store/postgres_history.c \
	server/store/postgres_rows.c server/store/postgres_schema.c \
	server/store/postgres_url.c server/store/same_file.c \
	server/store/sqlite_backup.c server/store/sqlite_check.c \
	server/store/sqlite_erase.c server/store/sqlite_page.c \
	server/store/store.c server/store/store_batch.c \
	server/store/store_compare.c server/store/store_contact.c \
	server/store/store_key.c server/store/store_prune.c \
	server/store/store_track.c server/store/store_work.c
NET_SRC := server/net/addresses.c server/net/busiest.c server/net/client.c \
	server/net/client_answer.c server/net/client_tls.c \
	server/net/half_open.c server/net/http_acceptor.c \
	server/net/http_limits.c server/net/link_clock.c \
	server/net/link_keys.c server/net/link_socket.c server/net/listener.c \
	server/net/net_link.c server/net/peering.c server/net/refusals.c \
	server/net/socket.c server/net/strangers.c server/net/survey.c \
	server/net/transport.c server/net/worker_pool.c
ADMIN_SRC := server/admin/admin.c server/admin/arrival_ring.c \
	server/admin/backup_api.c server/admin/bearer_tokens.c \
	server/admin/client_row.c server/admin/clients_api.c \
	server/admin/clients_erase.c server/admin/clients_forget.c \
	server/admin/clients_put.c server/admin/connections_api.c \
	server/admin/control.c server/admin/cursor.c \
	server/admin/digest_api.c server/admin/digest_cache.c \
	server/admin/herd_config.c server/admin/http_call.c \
	server/admin/http_listener.c server/admin/log_api.c \
	server/admin/metrics.c server/admin/open_metrics.c \
	server/admin/page.c server/admin/peers_api.c \
	server/admin/places_api.c server/admin/process.c \
	server/admin/put_tickets.c server/admin/query.c \
	server/admin/refused.c server/admin/route.c server/admin/rows.c \
	server/admin/selection.c server/admin/status.c \
	server/admin/store_api.c server/admin/table_stats.c \
	server/admin/top_api.c server/admin/track_api.c \
	server/admin/watch_line.c server/admin/watch_list.c \
	server/admin/watch_news.c server/admin/watch_reports.c
PHONES_SRC := server/phones/accounts.c server/phones/decimal.c \
	server/phones/friends.c server/phones/hasher.c server/phones/intake.c \
	server/phones/login.c server/phones/overland.c \
	server/phones/owntracks.c server/phones/phone_answer.c \
	server/phones/phone_call.c server/phones/phone_report.c \
	server/phones/phones.c server/phones/query_form.c \
	server/phones/traccar.c server/phones/visitors.c
HERDD_SRC := server/herdd.c server/main.c server/options.c
CLIENT_BASE_SRC := client/base/arena.c client/base/child.c \
	client/base/exit_status.c client/base/histogram.c \
	client/base/library.c client/base/loop.c client/base/paths.c \
	client/base/tokens.c client/base/xbuf.c
CLIENT_INPUT_SRC := client/input/centroid.c client/input/gazetteer_maker.c \
	client/input/gazetteer_towns.c client/input/import_csv.c \
	client/input/import_geojson.c client/input/import_gpx.c \
	client/input/import_guess.c client/input/import_herd.c \
	client/input/import_json.c client/input/import_jsonl.c \
	client/input/import_reader.c client/input/import_record.c \
	client/input/import_reports.c client/input/import_source.c \
	client/input/json_outline.c client/input/place_shape.c \
	client/input/sqlite_api.c client/input/store_file.c \
	client/input/xml_token.c
CLIENT_OUT_SRC := client/out/canvas.c client/out/diagram.c \
	client/out/layout.c client/out/out.c client/out/out_formats.c \
	client/out/out_gpx.c client/out/out_json.c \
	client/out/out_prometheus.c client/out/out_table.c \
	client/out/out_text.c client/out/raster.c client/out/screen.c \
	client/out/sink.c client/out/spark.c client/out/template.c \
	client/out/values.c client/out/width.c
CLIENT_NET_SRC := client/net/admin_client.c client/net/admin_ways.c \
	client/net/authority.c client/net/connection.c \
	client/net/crypto_api.c client/net/curl_api.c client/net/reply.c \
	client/net/ssl_api.c client/net/standing.c client/net/tls.c
CLIENT_LINE_SRC := client/line/alias.c client/line/args.c \
	client/line/command.c
CLIENT_CONF_SRC := client/conf/contexts.c client/conf/herd.c \
	client/conf/herd_users.c client/conf/prefs.c
CLIENT_RUN_SRC := client/run/app.c client/run/ask.c client/run/conversation.c \
	client/run/fields.c client/run/help.c client/run/live.c \
	client/run/plugin.c client/run/rounds.c client/run/run.c \
	client/run/run_message.c client/run/run_targets.c client/run/script.c \
	client/run/sketch.c client/run/stream.c client/run/watch.c
CLIENT_REPL_SRC := client/repl/background.c client/repl/complete.c \
	client/repl/cursor_word.c client/repl/editor.c client/repl/repl.c \
	client/repl/shells.c
CLIENT_CMD_SRC := client/cmd/alias_command.c client/cmd/bench.c \
	client/cmd/cert_new.c client/cmd/check.c client/cmd/check_client.c \
	client/cmd/client_count.c client/cmd/client_erase.c \
	client/cmd/client_export.c client/cmd/client_forget.c \
	client/cmd/client_import.c client/cmd/client_line.c \
	client/cmd/client_list.c client/cmd/client_ls.c \
	client/cmd/client_near.c client/cmd/client_refused.c \
	client/cmd/client_show.c client/cmd/client_top.c \
	client/cmd/client_track.c client/cmd/complete_command.c \
	client/cmd/completion.c client/cmd/config_check.c \
	client/cmd/config_diff.c client/cmd/config_reload.c \
	client/cmd/config_show.c client/cmd/conn_ls.c \
	client/cmd/context_add.c client/cmd/context_ls.c \
	client/cmd/context_none.c client/cmd/context_previous.c \
	client/cmd/context_rm.c client/cmd/context_rows.c \
	client/cmd/context_show.c client/cmd/context_switch.c \
	client/cmd/context_use.c client/cmd/doctor.c client/cmd/events.c \
	client/cmd/exam.c client/cmd/exam_tables.c client/cmd/exit.c \
	client/cmd/findings.c client/cmd/first_reply.c \
	client/cmd/help_command.c client/cmd/herd_check.c \
	client/cmd/herd_diff.c client/cmd/herd_status.c \
	client/cmd/herd_wait.c client/cmd/iamat.c client/cmd/import_faults.c \
	client/cmd/import_job.c client/cmd/import_progress.c \
	client/cmd/import_put.c client/cmd/import_send.c client/cmd/init.c \
	client/cmd/init_advice.c client/cmd/init_plan.c \
	client/cmd/judge_herd.c client/cmd/judge_links.c \
	client/cmd/judge_nodes.c client/cmd/key_drop.c client/cmd/key_new.c \
	client/cmd/list.c client/cmd/log_level.c client/cmd/log_tail.c \
	client/cmd/map.c client/cmd/moment.c client/cmd/node_certificates.c \
	client/cmd/node_drain.c client/cmd/node_ls.c client/cmd/node_rows.c \
	client/cmd/node_show.c client/cmd/node_state.c client/cmd/node_stop.c \
	client/cmd/node_undrain.c client/cmd/parts.c client/cmd/password.c \
	client/cmd/peer_change.c client/cmd/peer_disable.c \
	client/cmd/peer_enable.c client/cmd/peer_graph.c client/cmd/peer_ls.c \
	client/cmd/peer_reconnect.c client/cmd/peer_rows.c \
	client/cmd/peer_show.c client/cmd/phone_url.c client/cmd/ping.c \
	client/cmd/places_cache.c client/cmd/places_filter.c \
	client/cmd/places_import.c client/cmd/places_reload.c \
	client/cmd/places_status.c client/cmd/places_test.c \
	client/cmd/prefs_rows.c client/cmd/quit.c client/cmd/raw.c \
	client/cmd/secret_file.c client/cmd/set.c client/cmd/stats_command.c \
	client/cmd/stats_trend.c client/cmd/status_command.c \
	client/cmd/status_screen.c client/cmd/store_backup.c \
	client/cmd/store_check.c client/cmd/store_diff.c \
	client/cmd/store_patience.c client/cmd/store_place.c \
	client/cmd/store_restore.c client/cmd/store_retry.c \
	client/cmd/store_status.c client/cmd/token_drop.c \
	client/cmd/token_new.c client/cmd/top.c client/cmd/trace.c \
	client/cmd/typed.c client/cmd/unalias.c client/cmd/user_add.c \
	client/cmd/user_ls.c client/cmd/user_rm.c client/cmd/users_edit.c \
	client/cmd/version_command.c client/cmd/wait_client.c \
	client/cmd/wait_goal.c client/cmd/wait_link.c client/cmd/whatsat.c
CLIENT_SRC := $(CLIENT_BASE_SRC) $(CLIENT_INPUT_SRC) $(CLIENT_OUT_SRC) \
	$(CLIENT_NET_SRC) $(CLIENT_LINE_SRC) $(CLIENT_CONF_SRC) $(CLIENT_RUN_SRC) \
	$(CLIENT_REPL_SRC) $(CLIENT_CMD_SRC)

COMMON_TESTS := test_address test_buf test_common_memory test_file \
	test_framer test_graph test_herdfile test_json test_location \
	test_manual test_report test_request test_resolver test_settings \
	test_text test_time test_time_histogram test_users_file \
	test_users_hash

SIM_SRC := tests/sim/cost.c tests/sim/database.c tests/sim/fault.c \
	tests/sim/flood.c tests/sim/host.c tests/sim/main.c \
	tests/sim/mutant.c tests/sim/node.c tests/sim/oracle.c \
	tests/sim/oracle_clock.c tests/sim/pipe.c tests/sim/plan.c \
	tests/sim/stages.c tests/sim/store.c tests/sim/table_check.c \
	tests/sim/unrest.c tests/sim/world.c

CORE_TESTS := test_backoff test_batch_timer test_commit test_core_memory \
	test_digest test_example test_heavy test_link test_names test_outbox \
	test_pack test_roster test_scale test_session test_session_digests \
	test_session_memory test_session_rest test_session_rules \
	test_session_turns test_short_cut test_siphash test_stress test_table \
	test_table_bounds test_table_full test_timekeeper

PLACES_TESTS := test_answer test_gazetteer test_places test_places_exact \
	test_places_fields test_places_guards test_places_words
NODE_TESTS := test_memory_bound test_node
NET_TESTS := test_addresses test_certificate test_half_open test_keyring \
	test_limits test_link_history test_loop_watch test_rate \
	test_settings_apply test_tick
PHONES_TESTS := test_accounts test_phones_formats
STORE_TESTS := test_engine_sqlite test_postgres test_rows test_same_file \
	test_sqlite_page test_store_shared
ADMIN_TESTS := test_admin_arrivals test_admin_metrics test_admin_page \
	test_admin_query test_admin_routes test_admin_rows test_open_metrics
CLIENT_TESTS := test_client_args test_client_commands test_client_complete \
	test_client_fields test_client_filter test_client_findings \
	test_client_import test_client_manual test_client_out \
	test_client_pictures test_client_reply test_client_tables \
	test_client_tokens
UNIT_TESTS = $(COMMON_TESTS) $(CORE_TESTS) $(PLACES_TESTS) $(NODE_TESTS) $(NET_TESTS) \
	$(STORE_TESTS) $(PHONES_TESTS) $(ADMIN_TESTS) $(CLIENT_TESTS)

# Fuzz targets: tests/fuzz/fuzz_NAME.c with tests/fuzz/corpus/NAME/.
COMMON_FUZZ := framer herdfile report request users_file

CORE_FUZZ := session

PLACES_FUZZ := places

STORE_FUZZ := store url

PHONES_FUZZ := overland owntracks query_form traccar

ADMIN_FUZZ := admin_path

CLIENT_FUZZ := answers herdctl import

FUZZ_TARGETS = $(COMMON_FUZZ) $(CORE_FUZZ) $(PLACES_FUZZ) $(STORE_FUZZ) \
	$(PHONES_FUZZ) $(ADMIN_FUZZ) $(CLIENT_FUZZ)

# --- flags ---------------------------------------------------------------------
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wconversion -Wsign-conversion -Wformat=2 -Wvla -Wundef -Wcast-qual \
	-Wwrite-strings -Wswitch-enum -Wnull-dereference -Wdouble-promotion
ifdef CI
WARNINGS += -Werror
endif
HARDENING := -fstack-protector-strong -fstack-clash-protection \
	-fcf-protection -fPIE -D_FORTIFY_SOURCE=2
# Optimised across files where it counts: herdd and the simulation. The objects
# can be linked without that too, which takes the many tests a tenth of the time.
MODE_CFLAGS_release := -O3 -g $(HARDENING) -flto=auto -ffat-lto-objects
MODE_LDFLAGS_release := -pie -Wl,-z,relro,-z,now
MODE_CFLAGS_asan := -O1 -g -fsanitize=address,undefined \
	-fno-sanitize-recover=undefined -fno-omit-frame-pointer
MODE_LDFLAGS_asan := -fsanitize=address,undefined
MODE_CFLAGS_tsan := -O1 -g -fsanitize=thread
MODE_LDFLAGS_tsan := -fsanitize=thread
# Without assertions: what they exclude is no branch to take.
MODE_CFLAGS_coverage := -O0 -g --coverage -DNDEBUG -Wno-unused
MODE_LDFLAGS_coverage := --coverage
MODE_CFLAGS_fuzz := -O1 -g -fsanitize=fuzzer-no-link,address,undefined
MODE_LDFLAGS_fuzz := -fsanitize=address,undefined
# The rules of convergence can be switched off, one at a time (make mutants).
MODE_CFLAGS_mutant := -O2 -g -DHERD_MUTANTS
MODE_LDFLAGS_mutant :=
ifeq ($(MODE),fuzz)
CC = clang-14
endif

# A room's include path is its permission: build/rooms/SIDE-ROOM has links to
# the rooms that it may see, made of tests/lint/rooms.txt.
HERD_CPPFLAGS := -std=c11 -D_GNU_SOURCE -Iinclude
room = -Ibuild/rooms/$(subst /,-,$(patsubst %/,%,$(dir $(1))))
HERD_CFLAGS = $(WARNINGS) $(MODE_CFLAGS_$(MODE)) -pthread
HERD_LDFLAGS = $(MODE_LDFLAGS_$(MODE)) -pthread

pkg = $(shell pkg-config --$(1) $(2) 2>/dev/null)
COMMON_LIBS = $(call pkg,libs,yaml-0.1 libcrypt) -lm
SERVER_LIBS = $(call pkg,libs,libevent libevent_pthreads libevent_openssl \
	libcurl libcjson sqlite3 libpq openssl) $(COMMON_LIBS)
# libcurl is loaded when it is first needed: see client/net/curl_api.h.
CLIENT_LIBS = $(call pkg,libs,libcjson) -levent_core -lreadline \
	$(COMMON_LIBS)
UNIT_LIBS = $(call pkg,libs,cmocka)

# --- output ----------------------------------------------------------------------
B := build/$(MODE)
ifeq ($(V),0)
Q := @
say = @printf '  %-8s %s\n' $(1) $(2)
else
say = @:
endif

objects = $(patsubst %.c,$(B)/%.o,$(1))

# What `make` leaves; each room adds its program as it comes.
PROGRAMS := build/herdd build/herdctl
PROGRAMS += build/mkgazetteer build/gazetteer.sqlite

.DEFAULT_GOAL := programs
.PHONY: programs all check unit sim soak mutants sanitize lint format bench \
	abuse fuzz fuzz-run fuzz-replay coverage quick install uninstall dist deb deb-check clean \
	deps deps-deb deps-run lint-deps demo demo-postgres check-postgis help FORCE
.SECONDARY:

programs: $(PROGRAMS) ## build/herdd and build/herdctl

all: programs ## the programs

build/rooms/made: tests/lint/rooms.txt tests/lint/rooms.sh
	$(Q)tests/lint/rooms.sh views
	$(Q)touch $@

# Changed flags rebuild.
$(B)/flags: FORCE | build/rooms/made
	@mkdir -p $(B)
	@printf '%s\n' '$(CC) $(HERD_CPPFLAGS) $(HERD_CFLAGS) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) $(SHAREDIR)' >$@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

compile = $(CC) $(HERD_CPPFLAGS) $(1) $(CPPFLAGS) $(HERD_CFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(B)/common/%.o: common/%.c $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(call compile,)

$(B)/server/%.o: server/%.c $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(call compile,$(call room,$<) -DHERD_SHAREDIR='"$(SHAREDIR)"')

$(B)/client/%.o: client/%.c $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(call compile,$(call room,$<))

$(B)/tests/%.o: tests/%.c $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(call compile,-Iserver -Iclient -Itests)

archive = rm -f $@ && ar rcs $@ $^

# An archive a room, so that a test links only the modules that it reaches.
define room_archive
$$(B)/lib$(1).a: $$(call objects,$$($(2)_SRC))
	$$(call say,AR,$$@)
	$$(Q)$$(archive)
endef
$(eval $(call room_archive,herd,COMMON))
$(foreach room,BASE CORE NODE PLACES STORE NET PHONES ADMIN,$(eval \
	$(call room_archive,$(shell echo $(room) | tr A-Z a-z),$(room))))
# What of herdctl can be tested without its main().
$(eval $(call room_archive,client,CLIENT))

# The rooms of the server, from the top down.
SERVER_ARCHIVES := $(patsubst %,$(B)/lib%.a,admin phones net store places node core \
	base herd)

# Each file has had its warnings: across files the compiler guesses.
link_across = $(CC) $(HERD_CFLAGS) $(CFLAGS) -w $(HERD_LDFLAGS) $(LDFLAGS) -o $@ $(1)
link = $(call link_across,$(1)) -fno-lto

$(B)/herdd: $(call objects,$(HERDD_SRC)) $(SERVER_ARCHIVES)
	$(call say,LD,$@)
	$(Q)$(call link_across,$^ $(SERVER_LIBS))

$(B)/herdctl: $(B)/client/main.o $(B)/libclient.a $(B)/libherd.a
	$(call say,LD,$@)
	$(Q)$(call link,$^ $(CLIENT_LIBS))

$(B)/mkgazetteer: $(B)/client/mkgazetteer.o $(B)/libclient.a $(B)/libherd.a
	$(call say,LD,$@)
	$(Q)$(call link,$^ $(call pkg,libs,libcrypto) $(CLIENT_LIBS))

build/herdd: $(B)/herdd
	$(Q)ln -sf $(MODE)/herdd $@
build/herdctl: $(B)/herdctl
	$(Q)ln -sf $(MODE)/herdctl $@
build/mkgazetteer: $(B)/mkgazetteer
	$(Q)ln -sf $(MODE)/mkgazetteer $@
build/gazetteer.sqlite: server/places/data/places.tsv.gz \
	server/places/data/NOTICE client/mkgazetteer.c \
	client/input/gazetteer_maker.c common/gazetteer_file.c \
	include/herd/gazetteer_file.h common/kd_tree.c | $(B)/mkgazetteer
	$(call say,PLACES,$@)
	$(Q)gzip -dc server/places/data/places.tsv.gz | $(B)/mkgazetteer -n server/places/data/NOTICE $@

# --- tests ------------------------------------------------------------------------
UNIT_PROGRAMS := $(patsubst %,$(B)/tests/unit/%,$(UNIT_TESTS))

$(B)/tests/unit/%: $(B)/tests/unit/%.o $(B)/libclient.a $(SERVER_ARCHIVES)
	$(call say,LD,$@)
	$(Q)$(call link,$^ $(UNIT_LIBS) $(SERVER_LIBS) $(CLIENT_LIBS))

# These look at a table from inside.
$(B)/tests/unit/test_core_memory $(B)/tests/unit/test_outbox \
	$(B)/tests/unit/test_session $(B)/tests/unit/test_session_memory \
	$(B)/tests/unit/test_stress $(B)/tests/unit/test_table \
	$(B)/tests/unit/test_table_bounds $(B)/tests/unit/test_table_full: \
	$(B)/tests/sim/table_check.o

unit: $(UNIT_PROGRAMS) build/gazetteer.sqlite ## the unit tests
	$(Q)printf '%s\n' $(UNIT_PROGRAMS) | xargs -n 1 -P $$(nproc) \
	    sh -c '"$$0" >"$$0.log" 2>&1; s=$$?; cat "$$0.log"; exit $$s'

$(B)/sim: $(call objects,$(SIM_SRC)) $(B)/libcore.a $(B)/libherd.a
	$(call say,LD,$@)
	$(Q)$(call link_across,$^ $(COMMON_LIBS))

SIM_SEEDS ?= 1..20000
SIM_JOBS ?= $(shell nproc)
sim: $(B)/sim ## the simulation: 20,000 seeds, some of 1,000 nodes
	$(Q)$(B)/sim --cost & cost=$$!; \
	$(B)/sim --seeds 4..5 --nodes 1000 --jobs $(SIM_JOBS) && wait $$cost
	$(Q)$(B)/sim --seeds $(SIM_SEEDS) --jobs $(SIM_JOBS)

mutants: ## each rule of convergence left out: the simulation must notice
	$(Q)$(MAKE) --no-print-directory -j$(SIM_JOBS) MODE=mutant build/mutant/sim
	$(Q)build/mutant/sim --mutants --seeds $(SIM_SEEDS) --jobs $(SIM_JOBS)

soak: $(B)/sim ## the simulation without end, until interrupted
	$(Q)$(B)/sim --seeds $$(date +%s)000000..4000000000000000000 \
	    --jobs $(SIM_JOBS)

# Tests mostly wait, so one more than there are cores; each has its own ports and folders.
system: programs $(B)/load $(B)/tests/system/places_probe ## the tests with real processes
	$(Q)$(PYTHON) -m pytest -q -n $$(($$(nproc) + 1)) -p no:cacheprovider \
	    tests/system

$(B)/tests/system/%: $(B)/tests/system/%.o $(SERVER_ARCHIVES)
	$(call say,LD,$@)
	$(Q)$(call link,$^ $(SERVER_LIBS))

$(B)/bench_gazetteer: $(B)/tests/bench/bench_gazetteer.o $(B)/libplaces.a \
	$(B)/libbase.a $(B)/libherd.a
	$(call say,LD,$@)
	$(Q)$(call link,$^ $(SERVER_LIBS))
$(B)/bench_store: $(B)/tests/bench/bench_store.o $(B)/libstore.a \
	$(B)/libcore.a $(B)/libbase.a $(B)/libherd.a
	$(call say,LD,$@)
	$(Q)$(call link,$^ $(SERVER_LIBS))
$(B)/load: $(B)/tests/bench/load.o $(B)/libherd.a
	$(call say,LD,$@)
	$(Q)$(call link,$^ $(COMMON_LIBS))
$(B)/bare_http: $(B)/tests/bench/bare_http.o
	$(call say,LD,$@)
	$(Q)$(call link,$^ $(SERVER_LIBS))
$(B)/echo: $(B)/tests/bench/echo.o
	$(call say,LD,$@)
	$(Q)$(call link,$^ $(SERVER_LIBS))

# The corpora once more, with any compiler and mode.
REPLAY_PROGRAMS = $(patsubst %,$(B)/tests/fuzz/replay_%,$(FUZZ_TARGETS))

$(B)/tests/fuzz/replay_%: $(B)/tests/fuzz/fuzz_%.o $(B)/tests/fuzz/replay.o \
	$(B)/libclient.a $(SERVER_ARCHIVES)
	$(call say,LD,$@)
	$(Q)$(call link,$^ $(SERVER_LIBS) $(CLIENT_LIBS))

fuzz-replay: $(REPLAY_PROGRAMS) ## feed the fuzz corpora to their targets
	$(Q)set -e; for name in $(FUZZ_TARGETS); do \
		$(B)/tests/fuzz/replay_$$name tests/fuzz/corpus/$$name; done

# libFuzzer brings its own main(); what it finds stays in build/fuzz.
FUZZ_PROGRAMS = $(patsubst %,$(B)/tests/fuzz/fuzz_%,$(FUZZ_TARGETS))

$(B)/tests/fuzz/fuzz_%: $(B)/tests/fuzz/fuzz_%.o $(B)/libclient.a \
	$(SERVER_ARCHIVES)
	$(call say,LD,$@)
	$(Q)$(call link,$^ -fsanitize=fuzzer $(SERVER_LIBS) $(CLIENT_LIBS))

fuzz: ## each fuzz target for FUZZ_S seconds (clang)
	$(Q)$(MAKE) MODE=fuzz fuzz-run

fuzz-run: $(FUZZ_PROGRAMS)
	$(Q)for name in $(FUZZ_TARGETS); do \
		mkdir -p build/fuzz/corpus/$$name; \
		dict=tests/fuzz/$$name.dict; log=build/fuzz/$$name.log; \
		if $(B)/tests/fuzz/fuzz_$$name -max_total_time=$(FUZZ_S) \
		    -print_final_stats=1 -timeout=10 \
		    -artifact_prefix=build/fuzz/$$name- \
		    $$([ -f $$dict ] && echo -dict=$$dict) \
		    build/fuzz/corpus/$$name tests/fuzz/corpus/$$name \
		    >$$log 2>&1; then \
			awk -v name=$$name '/number_of_executed_units/ \
			    {print "fuzz " name ": " $$2 " runs, no finding"}' $$log; \
		else \
			tail -50 $$log; echo "fuzz $$name: see $$log"; exit 1; \
		fi; \
	done

sanitize: ## tests again with ASan and UBSan, and TSan
	$(Q)tests/sanitize.sh $(MAKE) $(PYTHON)

CHECK_SUITES := unit sim mutants fuzz-replay system sanitize

check: deps ## install what is missing, build, run all tests
	$(Q)$(MAKE) -j$$(nproc) --no-print-directory programs
	$(Q)MODE=$(MODE) tests/check.sh $(CHECK_SUITES)

demo-postgres: deps-run ## three nodes on a PostgreSQL database: what is where, kill both
	$(Q)$(call install,postgresql util-linux)
	$(Q)$(MAKE) --no-print-directory programs
	$(Q)tests/demo/postgres.sh

demo: deps-run ## five nodes on loopback: report, ask, crash, recover
	$(Q)$(MAKE) -j$$(nproc) --no-print-directory programs
	$(Q)tests/demo/demo.sh

bench: deps ## speed beside Redis, memcached and a bare echo
	$(Q)$(call install,$(BENCH_PACKAGES))
	$(Q)$(MAKE) --no-print-directory programs $(B)/load $(B)/echo $(B)/sim \
	    $(B)/bare_http $(B)/bench_store
	$(Q)$(PYTHON) tests/bench/bench.py --build $(B)

check-postgis: deps ## the shared store's view where the database has PostGIS
	$(Q)$(call install,postgresql-15-postgis-3)
	$(Q)$(MAKE) --no-print-directory programs
	$(Q)$(PYTHON) -m pytest -q -p no:cacheprovider -k postgis tests/system/test_postgres.py

abuse: programs $(B)/load ## what others notice of clients that misuse a node, and the bounds
	$(Q)$(PYTHON) tests/bench/abuse.py --build $(B)

# $(call install,PACKAGES): those that are missing, after it has named them.
install = tests/install.sh $(1)

deps: ## install the packages that are missing
	$(Q)$(call install,$(BUILD_PACKAGES) $(TEST_PACKAGES))

deps-deb: ## install what `make deb` needs
	$(Q)$(call install,$(BUILD_PACKAGES) $(DEB_PACKAGES))

deps-run: ## install what the programs and the demo need
	$(Q)$(call install,$(BUILD_PACKAGES) curl)

lint-deps: ## install the packages that lint needs
	$(Q)$(call install,$(BUILD_PACKAGES) $(TEST_PACKAGES) $(LINT_PACKAGES))

LINT_SOURCES = $(COMMON_SRC) $(BASE_SRC) $(CORE_SRC) $(NODE_SRC) \
	$(PLACES_SRC) $(STORE_SRC) $(NET_SRC) $(ADMIN_SRC) $(PHONES_SRC) \
	$(HERDD_SRC) $(CLIENT_SRC) client/main.c \
	client/mkgazetteer.c $(UNIT_TESTS:%=tests/unit/%.c) \
	$(FUZZ_TARGETS:%=tests/fuzz/fuzz_%.c) tests/fuzz/replay.c

LINT_ENV = BUILD=$(B) CFLAGS='$(filter-out -Werror,$(WARNINGS))' \
	SOURCES='$(LINT_SOURCES)'

lint: lint-deps programs $(SERVER_ARCHIVES) $(B)/libclient.a ## what tools can judge
	$(Q)$(LINT_ENV) tests/lint/lint.sh

quick: programs $(UNIT_PROGRAMS) ## unit tests and lint of what changed
	$(Q)$(LINT_ENV) tests/quick.sh $(UNIT_PROGRAMS)

# --- installing -----------------------------------------------------------------
MAN_PAGES := $(wildcard man/*.[1578])
man_folder = $(DESTDIR)$(PREFIX)/share/man/man$(subst .,,$(suffix $(1)))
ZSH_FOLDER ?= share/zsh/site-functions
COMPLETIONS := bash:share/bash-completion/completions/herdctl \
	zsh:$(ZSH_FOLDER)/_herdctl \
	fish:share/fish/vendor_completions.d/herdctl.fish
UNIT_FILE := $(DESTDIR)$(PREFIX)/lib/systemd/system/herdd@.service
USER_FILE := $(DESTDIR)$(PREFIX)/lib/sysusers.d/herd.conf
# Of the machine only if it is installed for the machine.
SYSCONFDIR ?= $(if $(filter /usr /usr/local,$(PREFIX)),/etc,$(PREFIX)/etc)
ROTATE_FILE := $(DESTDIR)$(SYSCONFDIR)/logrotate.d/herd
# For Prometheus, Grafana and HAProxy; an operator copies them.
MONITORING := $(addprefix server/dist/,herd-alerts.yml herd-dashboard.json \
	herd-haproxy.cfg herd-scrape.yml)

# The user that the unit names, if it is missing: without systemd-sysusers by
# the older way. In a folder for a package ($(DESTDIR)) there is no user to
# make; the package's own script does it where it is installed.
make_user = if command -v systemd-sysusers >/dev/null; then \
		systemd-sysusers $(1); \
	elif ! getent passwd herd >/dev/null; then \
		useradd --system --user-group --home-dir /var/lib/herd \
		    --no-create-home --shell /usr/sbin/nologin \
		    --comment "Node of a herd" herd; \
	fi

install: programs ## into $(DESTDIR)$(PREFIX): programs, data, man pages, completions, systemd unit and its user
	$(Q)install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(SHAREDIR) \
	    $(dir $(UNIT_FILE) $(USER_FILE))
	$(Q)install -m 755 $(B)/herdd $(B)/herdctl $(B)/mkgazetteer \
	    $(DESTDIR)$(PREFIX)/bin
	$(Q)install -m 644 build/gazetteer.sqlite \
	    server/places/data/LICENSE.md $(DESTDIR)$(SHAREDIR)
	$(Q)sed 's|@PREFIX@|$(PREFIX)|' server/herdd@.service.in | \
	    install -m 644 /dev/stdin $(UNIT_FILE)
	$(Q)install -m 644 server/herd.sysusers $(USER_FILE)
	$(Q)install -D -m 644 server/dist/herd.logrotate $(ROTATE_FILE)
	$(Q)install -D -m 644 -t $(DESTDIR)$(SHAREDIR)/monitoring $(MONITORING)
	$(Q)$(foreach page,$(MAN_PAGES),install -d $(call man_folder,$(page)) && \
	    sed 's|/usr/local/share/herd/|$(SHAREDIR)/|' $(page) | \
	    install -m 644 /dev/stdin \
	    $(call man_folder,$(page))/$(notdir $(page)) &&) true
	$(Q)set -o pipefail; for shell in $(COMPLETIONS); do \
		to=$(DESTDIR)$(PREFIX)/$${shell#*:}; \
		install -d "$$(dirname "$$to")" && \
		$(B)/herdctl completion "$${shell%%:*}" | \
		    install -m 644 /dev/stdin "$$to" || exit 1; \
	done
	$(Q)if [ -z "$(DESTDIR)" ] && [ "$$(id -u)" = 0 ]; then \
		$(call make_user,$(USER_FILE)); \
	fi

uninstall: ## what install put there; the user herd stays: files may be its own
	$(Q)rm -f $(DESTDIR)$(PREFIX)/bin/herdd $(DESTDIR)$(PREFIX)/bin/herdctl \
	    $(DESTDIR)$(PREFIX)/bin/mkgazetteer \
	    $(UNIT_FILE) $(USER_FILE) $(ROTATE_FILE) $(foreach page,$(MAN_PAGES),\
	    $(call man_folder,$(page))/$(notdir $(page))) \
	    $(foreach shell,$(COMPLETIONS),\
	    $(DESTDIR)$(PREFIX)/$(lastword $(subst :, ,$(shell))))
	$(Q)rm -rf $(DESTDIR)$(SHAREDIR)

# A commit is always the same bytes: git sorts, has one owner and one time.
dist: ## build/herd-VERSION.tar.gz of what is committed
	$(Q)mkdir -p build
	$(Q)set -o pipefail; git -c tar.umask=0022 archive --format=tar \
	    --prefix=herd-$(VERSION)/ HEAD | gzip -9n >build/dist.new
	$(Q)mv build/dist.new build/herd-$(VERSION).tar.gz
	@echo build/herd-$(VERSION).tar.gz

# The tree as it is, laid out for dpkg-buildpackage. Without git (an unpacked
# `make dist`) it is every file but what was built.
DEB_TREE := build/deb/herd-$(VERSION)
tree_files = git ls-files -z --cached --others --exclude-standard 2>/dev/null \
	|| find . \( -path ./build -o -path ./.git \) -prune -o -type f -printf '%P\0'

deb: deps-deb ## build/herd_VERSION_ARCH.deb, with debhelper
	$(Q)rm -rf build/deb && mkdir -p $(DEB_TREE)
	$(Q)($(tree_files)) | tar -c --null -T - --ignore-failed-read | \
	    tar -x -C $(DEB_TREE)
	$(Q)cp -r server/dist/debian $(DEB_TREE)/debian
	$(Q)cd $(DEB_TREE) && env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS \
	    dpkg-buildpackage --build=binary --no-sign >../build.log 2>&1 || \
	    { tail -n 40 ../build.log; exit 1; }
	$(Q)mv build/deb/*.deb build/deb/*.changes build/deb/*.buildinfo build/
	$(Q)rm -rf $(DEB_TREE)
	$(Q)lintian --allow-root --fail-on error,warning build/herd_$(VERSION)_*.changes
	@ls build/herd_$(VERSION)_*.deb build/herd-dbgsym_$(VERSION)_*.deb

deb-check: deb ## install, upgrade and purge the package on a machine of its own; root, minutes
	$(Q)$(call install,$(TEST_PACKAGES) $(DEB_CHECK_PACKAGES))
	$(Q)$(PYTHON) -m pytest -q -rs -p no:cacheprovider tests/package

# The tests of common/ and server/core/ counted by branch.
coverage: ## branch coverage of each folder, from unit tests and simulation
	$(Q)find build/coverage -name '*.gcda' -delete 2>/dev/null || true
	$(Q)$(MAKE) --no-print-directory MODE=coverage unit >/dev/null
	$(Q)$(MAKE) --no-print-directory MODE=coverage SIM_SEEDS=1..200 sim \
	    >/dev/null
	$(Q)tests/coverage.sh build/coverage

format: ## lay out the C files by .clang-format
	$(Q)find include common server client tests -name '*.[ch]' \
	    -exec clang-format-14 -i {} +

clean: ## remove build/
	$(Q)rm -rf build

help: ## this list
	@sed -n 's/^\([a-z][a-z-]*\):[^#]*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | \
	    expand -t 12

SHELL := /bin/bash

-include $(shell find build/$(MODE) -name '*.d' 2>/dev/null)
