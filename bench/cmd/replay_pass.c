/* SPDX-License-Identifier: MIT */
#include "cmd/replay_pass.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/replay_audit.h"

/* The threads of a pass; what the lock keeps is under `mutex`. */
struct crew {
	struct replay_pass *pass;
	struct member *members;
	unsigned count;
	pthread_mutex_t mutex;
	pthread_cond_t change;
	unsigned ready;
	bool may_begin;
	bool is_dismissed; /* not all could be made: none shall begin */
};

struct member {
	struct crew *crew;
	struct replay_lane lane;
	pthread_t thread;
};

static void lane_init(struct replay_lane *lane, struct replay_world *world,
		      const struct replay_pass *pass, unsigned number)
{
	*lane = (struct replay_lane){
		.world = world,
		.lane = number,
		.op_ns = pass->op_ns,
		.watch = world->load->lanes == 1 ? pass->watch : NULL,
	};
}

static void lane_bind(const struct replay_pass *pass, unsigned lane)
{
	/* A thread that cannot be pinned still gives right answers. */
	if (pass->cpus[lane] != PLACEMENT_ANY)
		(void)placement_bind(pass->placement, pass->cpus[lane]);
}

/* Waits until all are there; false: there is nothing to do. */
static bool member_enter(struct crew *crew)
{
	pthread_mutex_lock(&crew->mutex);
	crew->ready++;
	pthread_cond_broadcast(&crew->change);
	while (!crew->may_begin)
		pthread_cond_wait(&crew->change, &crew->mutex);

	const bool begins = !crew->is_dismissed;

	pthread_mutex_unlock(&crew->mutex);
	return begins;
}

static void *member_run(void *argument)
{
	struct member *member = argument;

	lane_bind(member->crew->pass, member->lane.lane);
	if (member_enter(member->crew))
		replay_lane_run(&member->lane);
	return NULL;
}

/* Lets go all that were made, once they are there. */
static void crew_begin(struct crew *crew, unsigned made)
{
	pthread_mutex_lock(&crew->mutex);
	while (crew->ready < made)
		pthread_cond_wait(&crew->change, &crew->mutex);
	crew->is_dismissed = made < crew->count;
	crew->may_begin = true;
	pthread_cond_broadcast(&crew->change);
	pthread_mutex_unlock(&crew->mutex);
}

static int crew_run(struct crew *crew)
{
	unsigned made = 0;
	int err = 0;

	while (made < crew->count && !err) {
		struct member *member = &crew->members[made];

		err = -pthread_create(&member->thread, NULL, member_run,
				      member);
		made += err == 0;
	}
	crew_begin(crew, made);
	for (unsigned i = 0; i < made; i++)
		pthread_join(crew->members[i].thread, NULL);
	return err;
}

static void lane_add(struct replay_pass *pass, const struct replay_lane *lane)
{
	replay_tally_merge(&pass->tally, &lane->tally);
	pass->busy_ns += lane->busy_ns;
	pass->waits += lane->waits;
	pass->wait_ns += lane->wait_ns;
	pass->ops += lane->ops;
	pass->same_places += lane->same_places;
}

static int lanes_together(struct replay_pass *pass, struct replay_world *world)
{
	const unsigned lanes = world->load->lanes;
	struct crew crew = {
		.pass = pass,
		.count = lanes,
		.members = calloc(lanes, sizeof(*crew.members)),
		.mutex = PTHREAD_MUTEX_INITIALIZER,
		.change = PTHREAD_COND_INITIALIZER,
	};
	uint64_t begin_ns = UINT64_MAX;
	uint64_t end_ns = 0;
	int err = crew.members ? 0 : -ENOMEM;

	for (unsigned i = 0; i < lanes && !err; i++) {
		crew.members[i].crew = &crew;
		lane_init(&crew.members[i].lane, world, pass, i);
	}
	if (!err)
		err = crew_run(&crew);
	for (unsigned i = 0; i < lanes && !err; i++) {
		const struct replay_lane *lane = &crew.members[i].lane;

		lane_add(pass, lane);
		if (lane->begin_ns < begin_ns)
			begin_ns = lane->begin_ns;
		if (lane->end_ns > end_ns)
			end_ns = lane->end_ns;
	}
	pass->wall_ns = end_ns - begin_ns;
	free(crew.members);
	return err;
}

static int lanes_run(struct replay_pass *pass, struct replay_world *world)
{
	if (world->load->lanes > 1)
		return lanes_together(pass, world);

	struct replay_lane *lane = calloc(1, sizeof(*lane));

	if (!lane)
		return -ENOMEM;
	lane_bind(pass, 0);
	lane_init(lane, world, pass, 0);
	replay_lane_run(lane);
	lane_add(pass, lane);
	pass->wall_ns = lane->end_ns - lane->begin_ns;
	free(lane);
	return 0;
}

/* Nobody works any more: do the books agree? */
static void world_audit(struct replay_pass *pass, struct replay_world *world)
{
	if (!pass->op_ns) {
		replay_audit_claim(world, &pass->tally);
		return;
	}
	replay_audit_live(world, &pass->tally);
	pass->retained_pages = replay_audit_clear(world, &pass->tally);
}

/* The figures of the engine cost more than many a replay: only if looked at. */
static int stats_take(const struct replay_pass *pass,
		      const struct replay_world *world, struct lfv_stats *stats)
{
	*stats = (struct lfv_stats){ .struct_bytes = sizeof(*stats) };
	return pass->op_ns ? lfv_get_stats(world->lfv, stats) : 0;
}

static int world_replay(struct replay_pass *pass, struct replay_world *world)
{
	replay_world_preload(world, &pass->tally, &pass->preloads_moved);

	int err = stats_take(pass, world, &pass->before);

	if (!err)
		err = lanes_run(pass, world);
	if (!err)
		err = stats_take(pass, world, &pass->after);
	if (err)
		return err;
	if (pass->watch)
		replay_watch_look(pass->watch, world);
	world_audit(pass, world);
	return 0;
}

int replay_pass_run(struct replay_pass *pass, char why[REPLAY_WHY_BYTES])
{
	struct replay_world world;
	int err =
		replay_world_init(&world, pass->load, pass->op_ns != NULL, why);

	if (err)
		return err;
	err = world_replay(pass, &world);
	if (err)
		snprintf(why, REPLAY_WHY_BYTES, "replay: %s", strerror(-err));
	replay_world_fini(&world);
	return err;
}
