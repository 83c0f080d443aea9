/*
 * mqttload - a single-file, single-thread MQTT load generator (Linux, epoll).
 *
 * Build:  cc -O2 -o mqttload mqttload.c
 *
 * It opens P publisher and S subscriber connections from one process, speaks
 * MQTT 3.1.1 (or 5.0 with -V 5) from pre-encoded packets, and prints one line
 * of JSON: delivered and acknowledged messages per second, end-to-end and ack
 * latency percentiles, connection rate, loss and reordering, its own CPU share
 * and (with -b PID) the broker's CPU time per message and resident memory.
 *
 * Usage: mqttload [options]
 *   -h ADDR     broker IPv4 address              (127.0.0.1)
 *   -p PORT     broker port                      (1883)
 *   -V 4|5      MQTT 3.1.1 or 5.0                (4)
 *   -P N        publisher connections            (1)
 *   -S N        subscriber connections           (0)
 *   -I N        idle connections                 (0)
 *   -q 0|1      publish QoS                      (0)
 *   -Q 0|1      subscription QoS                 (same as -q)
 *   -w N        in-flight window per publisher.  QoS 1: unacknowledged PUBLISH
 *               packets.  QoS 0: messages not yet seen by every subscriber
 *               (closed loop); 0 means no window, TCP back-pressure only.
 *   -s BYTES    payload size, at least 16        (128)
 *   -l LAYOUT   own : publisher i -> T/i/data, every subscriber takes T/#
 *               pair: publisher i -> T/i/data, subscriber i takes T/i/data
 *                     (as many subscribers as publishers)
 *               one : every publisher -> T/all, every subscriber takes T/all
 *   -f FILTER   other filter for every subscriber (layout own or one)
 *   -t T        topic prefix                     (load)
 *   -r N        fixed total rate, messages/s; 0 = as fast as possible.
 *               Latency then counts from the planned send time, so a stalled
 *               broker is charged for the wait (no coordinated omission).
 *   -B N        QoS 0 without window: messages per write   (16)
 *   -d SEC      measured duration                (5)
 *   -W SEC      warm-up, not measured            (1)
 *   -D SEC      longest wait for stragglers      (2)
 *   -c N        concurrent connection attempts   (64)
 *   -C          connection churn: connect, CONNACK, DISCONNECT, close, repeat
 *   -u USER -x PASS   credentials
 *   -a FILE     an identity per connection, one a line, fields divided by tabs:
 *               client id, user name, password [, topic to publish to].  Taken
 *               in order: subscribers, publishers, idle ones; churn goes round.
 *   -z          subscribers ask for a persistent session (clean session 0)
 *   -Z          ... and leave once subscribed: every message is owed to them
 *   -k SEC      keep-alive                       (0)
 *   -i PREFIX   client identifier prefix         (ml)
 *   -o BYTES    SO_SNDBUF of publishers          (kernel default)
 *   -j TEXT     publish this text; each # in it becomes the digit string of a
 *               number of its own.  Every message is answered by a PUBLISH to
 *               its publisher, and the next one waits for answer and PUBACK
 *               (-q 1, -w 1).  e2e_us is then the time until the answer, and
 *               an answer without "code":200 in it is a bad one
 *   -b PID      broker process to account CPU and memory for
 *   -n NAME     label copied to the result line
 *
 * Examples:
 *   fan-in      mqttload -P 1000 -S 1 -l own -w 8
 *   pairs       mqttload -P 50 -S 50 -l pair -q 1 -w 16
 *   fan-out     mqttload -P 1 -S 1000 -l one -w 4
 *   telemetry   mqttload -P 1000 -S 0 -q 1 -w 1
 *   latency     mqttload -P 100 -S 1 -l own -q 1 -w 64 -r 10000
 *   churn       mqttload -C -c 64 -u dev -x secret
 *   idle        mqttload -P 0 -I 10000 -d 5
 *   owed        mqttload -P 1000 -S 1 -l own -q 1 -w 1 -Z
 *   signed      mqttload -C -c 64 -a devices.tsv
 *
 * Reading the result: when gen_cpu is near 1 the generator, not the broker, is
 * the limit; compare broker_cpu_us_per_msg then.  A message is a delivery, or an
 * acknowledgement where there is no subscriber, or a connection with -C.  Pin
 * both sides (taskset -c 0 broker; taskset -c 1 mqttload) and interleave the
 * systems compared.  "missing" may include messages still in flight after -D.
 *
 * Payload layout: u64 send time (ns, CLOCK_MONOTONIC), u32 publisher index,
 * u32 sequence number, filler.  Exit status: 0 ok, 1 usage or start-up error,
 * 2 connections were lost or refused during the run.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* ------------------------------------------------------------- settings */

enum layout { OWN, PAIR, ONE };

static struct {
	const char *host, *filter, *prefix, *user, *pass, *idprefix, *label, *idfile, *text;
	int port, version, pubs, subs, idle, qos, subqos, window, size, batch;
	int connecting, churn, keepalive, sndbuf, brokerpid, persistent, leave;
	enum layout layout;
	double rate, duration, warmup, drain;
} opt = {
	.host = "127.0.0.1", .prefix = "load", .idprefix = "ml", .label = "",
	.port = 1883, .version = 4, .pubs = 1, .subqos = -1, .size = 128,
	.batch = 16, .connecting = 64, .duration = 5, .warmup = 1, .drain = 2,
};

/* ---------------------------------------------------------- connections */

enum role { PUBLISHER, SUBSCRIBER, IDLE, CHURN };
enum state { CLOSED, CONNECTING, CONNACK_WAIT, SUBACK_WAIT, READY, LEFT };

struct conn {
	int fd;
	uint8_t role, state, want_out, dirty;
	uint32_t index;               /* index within its role */
	uint8_t *out;                 /* bytes waiting to be written */
	uint32_t out_off, out_len, out_cap;
	uint8_t *part;                /* incomplete inbound packet */
	uint32_t part_len, part_cap;
	/* publishers only */
	uint8_t *packet;              /* pre-encoded PUBLISH */
	uint32_t packet_len, pid_at, payload_at;
	uint32_t seq;                 /* messages sent so far */
	uint64_t planned;             /* messages due so far at a fixed rate */
	uint64_t delivered;           /* deliveries seen, over all subscribers */
	uint64_t *sent_at;            /* per packet-id slot */
	uint16_t *slots;              /* free packet-id slots */
	uint32_t free_slots;
	uint32_t unanswered;          /* with -j: of answer and PUBACK */
};

static struct conn *conns;
static int nconns, ep;
static struct conn **dirty;
static int ndirty;
static uint32_t *last_seq;            /* [subscriber][publisher] */

struct identity { const char *id, *user, *pass, *topic; };
static struct identity *identities;
static uint32_t nidentities, next_identity;

static int pending_connects, ready, next_connect;
static uint64_t churned, lost_conns, refused;
static uint64_t sent, acked, received, duplicates, reordered, gaps, bad;
static int measuring, publishing;
static uint64_t run_start;

static uint64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void die(const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

static void *alloc(void *old, size_t size)
{
	void *p = realloc(old, size ? size : 1);
	if (!p)
		die("mqttload: out of memory");
	return p;
}

/* ------------------------------------------- log-linear latency histogram */

#define SUB 64                        /* lower bound of a bucket, at most 3 % low */
struct hist { uint64_t count, max, bucket[64 * SUB]; };
static struct hist e2e, ack, conn_time;

static void hist_add(struct hist *h, uint64_t v)
{
	int e = v < SUB ? 0 : 63 - __builtin_clzll(v) - 5;
	h->bucket[e ? e * (SUB / 2) + (v >> e) : v]++;
	h->count++;
	if (v > h->max)
		h->max = v;
}

static double hist_us(const struct hist *h, double q)
{
	uint64_t want = (uint64_t)((double)h->count * q), seen = 0;
	if (!h->count)
		return 0;
	for (uint32_t i = 0; i < 64 * SUB; i++) {
		seen += h->bucket[i];
		if (seen > want) {
			uint64_t e = i < SUB ? 0 : (i - SUB / 2) / (SUB / 2);
			uint64_t v = e ? (i - e * (SUB / 2)) << e : i;
			return (double)v / 1000.0;
		}
	}
	return (double)h->max / 1000.0;
}

/* -------------------------------------------------------------- encoding */

static uint8_t *put_len(uint8_t *p, uint32_t n)
{
	do {
		*p++ = (uint8_t)((n & 127) | (n > 127 ? 128 : 0));
	} while (n >>= 7);
	return p;
}

static uint8_t *put_str(uint8_t *p, const char *s)
{
	size_t n = strlen(s);
	*p++ = (uint8_t)(n >> 8);
	*p++ = (uint8_t)n;
	memcpy(p, s, n);
	return p + n;
}

static void queue(struct conn *c, const void *data, uint32_t n)
{
	if (c->out_off == c->out_len)
		c->out_off = c->out_len = 0;
	if (c->out_len + n > c->out_cap) {
		c->out_cap = (c->out_len + n) * 2;
		c->out = alloc(c->out, c->out_cap);
	}
	memcpy(c->out + c->out_len, data, n);
	c->out_len += n;
}

static void queue_packet(struct conn *c, uint8_t first, const uint8_t *body,
			 const uint8_t *end)
{
	uint8_t head[5], *p = head;
	*p++ = first;
	p = put_len(p, (uint32_t)(end - body));
	queue(c, head, (uint32_t)(p - head));
	queue(c, body, (uint32_t)(end - body));
}

/* Reads -a FILE.  The text stays in memory; its tabs and newlines end the strings. */
static void load_identities(void)
{
	FILE *f = fopen(opt.idfile, "r");
	char *text, *line, *save = NULL;
	long size;
	if (!f || fseek(f, 0, SEEK_END) || (size = ftell(f)) < 0)
		die("mqttload: %s: %s", opt.idfile, strerror(errno));
	rewind(f);
	text = alloc(NULL, (size_t)size + 1);
	if (fread(text, 1, (size_t)size, f) != (size_t)size)
		die("mqttload: %s: cannot be read", opt.idfile);
	text[size] = 0;
	fclose(f);
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		const char *field[4] = { line, NULL, NULL, NULL };
		for (int i = 1; i < 4; i++) {
			char *tab = strchr(field[i - 1], '\t');
			if (!tab)
				break;
			*tab = 0;
			field[i] = tab + 1;
		}
		if (!field[2] || strlen(field[0]) + strlen(field[1]) + strlen(field[2]) > 900)
			die("mqttload: %s: line %u is no identity", opt.idfile, nidentities + 1);
		if (nidentities % 1024 == 0)
			identities = alloc(identities, sizeof *identities * (nidentities + 1024));
		identities[nidentities++] = (struct identity){ field[0], field[1], field[2], field[3] };
	}
	if (!nidentities)
		die("mqttload: %s: no identity", opt.idfile);
}

/* Churn goes round all identities; everyone else has one of their own. */
static const struct identity *identity_of(const struct conn *c)
{
	if (!nidentities)
		return NULL;
	return &identities[(c->role == CHURN ? next_identity++ :
			    (uint32_t)(c - conns)) % nidentities];
}

static void queue_connect(struct conn *c)
{
	uint8_t body[1024], *p = body;
	char name[64];
	static const char letter[] = "psic";
	const struct identity *who = identity_of(c);
	const char *id = who ? who->id : name;
	const char *user = who ? who->user : opt.user;
	const char *pass = who ? who->pass : opt.pass;
	int clean = c->role != SUBSCRIBER || !opt.persistent;
	snprintf(name, sizeof name, "%.40s-%c%u", opt.idprefix, letter[c->role],
		 c->index);
	p = put_str(p, "MQTT");
	*p++ = (uint8_t)opt.version;
	*p++ = (uint8_t)((clean ? 2 : 0) | (user ? 128 : 0) | (pass ? 64 : 0));
	*p++ = (uint8_t)(opt.keepalive >> 8);
	*p++ = (uint8_t)opt.keepalive;
	if (opt.version == 5)
		*p++ = 0;
	p = put_str(p, id);
	if (user)
		p = put_str(p, user);
	if (pass)
		p = put_str(p, pass);
	queue_packet(c, 0x10, body, p);
}

static void topic_of(char *dst, size_t n, uint32_t index)
{
	if (opt.layout == ONE)
		snprintf(dst, n, "%s/all", opt.prefix);
	else
		snprintf(dst, n, "%s/%u/data", opt.prefix, index);
}

static void queue_subscribe(struct conn *c)
{
	uint8_t body[512], *p = body;
	char filter[256];
	if (opt.filter)
		snprintf(filter, sizeof filter, "%s", opt.filter);
	else if (opt.layout == OWN)
		snprintf(filter, sizeof filter, "%s/#", opt.prefix);
	else
		topic_of(filter, sizeof filter, c->index);
	*p++ = 0;
	*p++ = 1;
	if (opt.version == 5)
		*p++ = 0;
	p = put_str(p, filter);
	*p++ = (uint8_t)opt.subqos;
	queue_packet(c, 0x82, body, p);
}

/* Digits of the number that stands for # in the text of -j. */
#define DIGITS 10

/* The text with the digits of n; all texts are of one length. */
static void put_text(uint8_t *p, uint32_t n)
{
	char digits[DIGITS + 1];
	snprintf(digits, sizeof digits, "%010u", 1000000000u + n % 1000000000u);
	for (const char *t = opt.text; *t; t++) {
		if (*t != '#') {
			*p++ = (uint8_t)*t;
			continue;
		}
		memcpy(p, digits, DIGITS);
		p += DIGITS;
	}
}

static void prepare_publish(struct conn *c)
{
	char topic[256];
	const struct identity *who = identity_of(c);
	if (who && who->topic)
		snprintf(topic, sizeof topic, "%s", who->topic);
	else
		topic_of(topic, sizeof topic, c->index);
	uint32_t body = 2 + (uint32_t)strlen(topic) + (opt.qos ? 2 : 0) +
			(opt.version == 5) + (uint32_t)opt.size;
	c->packet = alloc(NULL, body + 5);
	uint8_t *p = c->packet;
	*p++ = (uint8_t)(0x30 | opt.qos << 1);
	p = put_len(p, body);
	p = put_str(p, topic);
	c->pid_at = (uint32_t)(p - c->packet);
	if (opt.qos)
		p += 2;
	if (opt.version == 5)
		*p++ = 0;
	c->payload_at = (uint32_t)(p - c->packet);
	for (int i = 0; i < opt.size; i++)
		p[i] = (uint8_t)('a' + (i * 7 + (int)c->index) % 26);
	if (opt.text)
		put_text(p, 0);
	else
		memcpy(p + 8, &c->index, 4);
	c->packet_len = c->payload_at + (uint32_t)opt.size;
	if (opt.qos) {
		c->sent_at = alloc(NULL, sizeof *c->sent_at * (size_t)opt.window);
		c->slots = alloc(NULL, sizeof *c->slots * (size_t)opt.window);
		for (int i = 0; i < opt.window; i++)
			c->slots[i] = (uint16_t)(opt.window - 1 - i);
		c->free_slots = (uint32_t)opt.window;
	}
}

/* ------------------------------------------------------------------- I/O */

static void watch(struct conn *c, int want_out)
{
	if (c->want_out == want_out)
		return;
	struct epoll_event ev = { EPOLLIN | (want_out ? EPOLLOUT : 0), { c } };
	epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &ev);
	c->want_out = (uint8_t)want_out;
}

static int gone(const struct conn *c)
{
	return c->state == CLOSED || c->state == LEFT;
}

static void drop(struct conn *c, int expected)
{
	if (gone(c))
		return;
	if (c->state < READY)
		pending_connects--;
	else
		ready--;
	if (!expected)
		lost_conns++;
	close(c->fd);
	c->state = CLOSED;
	c->out_off = c->out_len = c->part_len = 0;
}

static int flush(struct conn *c)
{
	while (c->out_off < c->out_len) {
		ssize_t n = send(c->fd, c->out + c->out_off,
				 c->out_len - c->out_off, MSG_NOSIGNAL);
		if (n < 0) {
			if (errno == EAGAIN) {
				watch(c, 1);
				return 0;
			}
			drop(c, 0);
			return 0;
		}
		c->out_off += (uint32_t)n;
	}
	return 1;
}

static int flooding(void)
{
	return !opt.qos && !opt.window && opt.rate <= 0;
}

static void mark(struct conn *c)
{
	if (!c->dirty) {
		c->dirty = 1;
		dirty[ndirty++] = c;
	}
}

static uint32_t fan(void)
{
	if (opt.leave)
		return 0;
	if (opt.text)
		return 1;
	return opt.layout == PAIR ? (opt.subs > 0) : (uint32_t)opt.subs;
}

/* Sends whatever the publisher may send now: window, rate, back-pressure. */
static void pump(struct conn *c)
{
	if (!publishing || c->state != READY)
		return;
	uint64_t now = now_ns();
	int burst = flooding() ? opt.batch : 1 << 30;
	while (burst-- > 0 && c->out_len - c->out_off < 65536) {
		uint64_t stamp = now;
		if (opt.rate > 0) {
			if (c->seq >= c->planned)
				break;
			stamp = run_start + (uint64_t)(1e9 / opt.rate *
				((double)c->seq * opt.pubs + c->index));
		}
		if (opt.qos) {
			if (!c->free_slots)
				break;
			uint16_t slot = c->slots[--c->free_slots];
			c->sent_at[slot] = stamp;
			c->packet[c->pid_at] = (uint8_t)((slot + 1) >> 8);
			c->packet[c->pid_at + 1] = (uint8_t)(slot + 1);
		} else if (opt.window && (uint64_t)c->seq * fan() - c->delivered
				>= (uint64_t)opt.window * fan()) {
			break;
		}
		c->seq++;
		if (opt.text) {
			put_text(c->packet + c->payload_at, c->seq);
			c->unanswered = 2;
		} else {
			memcpy(c->packet + c->payload_at, &stamp, 8);
			memcpy(c->packet + c->payload_at + 12, &c->seq, 4);
		}
		queue(c, c->packet, c->packet_len);
		sent++;
	}
	if (flush(c) && flooding())
		watch(c, 1);
}

static void start_connect(struct conn *c)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)opt.port) };
	int one = 1;
	inet_pton(AF_INET, opt.host, &to.sin_addr);
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (c->fd < 0)
		die("mqttload: socket: %s", strerror(errno));
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (opt.sndbuf && c->role == PUBLISHER)
		setsockopt(c->fd, SOL_SOCKET, SO_SNDBUF, &opt.sndbuf,
			   sizeof opt.sndbuf);
	if (connect(c->fd, (void *)&to, sizeof to) < 0 && errno != EINPROGRESS)
		die("mqttload: connect: %s", strerror(errno));
	c->state = CONNECTING;
	c->want_out = 1;
	if (c->role == CHURN) {
		if (!c->sent_at)
			c->sent_at = alloc(NULL, sizeof *c->sent_at);
		c->sent_at[0] = now_ns();
	}
	struct epoll_event ev = { EPOLLIN | EPOLLOUT, { c } };
	epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &ev);
	pending_connects++;
}

static void became_ready(struct conn *c)
{
	c->state = READY;
	pending_connects--;
	ready++;
}

/* With -j: the answer or the PUBACK is here; after both the next may go. */
static void answered(struct conn *c)
{
	if (!c->unanswered || --c->unanswered)
		return;
	c->slots[c->free_slots++] = 0;
	mark(c);
}

static void on_publish(struct conn *c, uint8_t first, const uint8_t *b,
		       uint32_t n)
{
	uint32_t at = 2 + ((uint32_t)b[0] << 8 | b[1]);
	if (first & 6) {
		uint8_t pa[4] = { 0x40, 2, b[at], b[at + 1] };
		at += 2;
		queue(c, pa, 4);
	}
	if (opt.version == 5) {
		uint32_t props = 0, shift = 0;
		uint8_t x;
		do {
			x = b[at++];
			props |= (uint32_t)(x & 127) << shift;
			shift += 7;
		} while (x & 128);
		at += props;
	}
	received++;
	if (opt.text && c->role == PUBLISHER) {
		if (measuring)
			hist_add(&e2e, now_ns() - c->sent_at[0]);
		if (!memmem(b + at, n - at, "\"code\":200", 10))
			bad++;
		mark(c);
		answered(c);
		return;
	}
	if (n < at + 16)
		return;
	uint64_t stamp;
	uint32_t pub, seq;
	memcpy(&stamp, b + at, 8);
	memcpy(&pub, b + at + 8, 4);
	memcpy(&seq, b + at + 12, 4);
	if (pub >= (uint32_t)opt.pubs)
		return;
	if (measuring)
		hist_add(&e2e, now_ns() - stamp);
	if (last_seq) {
		uint32_t *last = &last_seq[c->index * (uint32_t)opt.pubs + pub];
		if (seq == *last + 1)
			;
		else if (seq == *last)
			duplicates++;
		else if (seq < *last)
			reordered++;
		else
			gaps += seq - *last - 1;
		if (seq > *last)
			*last = seq;
	}
	struct conn *p = &conns[opt.subs + (int)pub];
	p->delivered++;
	if (!opt.qos && opt.window)
		mark(p);
}

static void on_packet(struct conn *c, uint8_t first, const uint8_t *b,
		      uint32_t n)
{
	switch (first >> 4) {
	case 2:                                               /* CONNACK */
		if (n < 2 || b[1]) {
			refused++;
			drop(c, 0);
		} else if (c->role == CHURN) {
			static const uint8_t bye[2] = { 0xe0, 0 };
			churned++;
			if (measuring)
				hist_add(&conn_time, now_ns() - c->sent_at[0]);
			queue(c, bye, 2);
			flush(c);
			drop(c, 1);
			start_connect(c);
		} else if (c->role == SUBSCRIBER) {
			c->state = SUBACK_WAIT;
			queue_subscribe(c);
		} else {
			became_ready(c);
		}
		break;
	case 9:                                                /* SUBACK */
		if (b[n - 1] >= 0x80) {
			refused++;
			drop(c, 0);
		} else {
			became_ready(c);
			if (opt.leave) {
				static const uint8_t bye[2] = { 0xe0, 0 };
				queue(c, bye, 2);
				flush(c);
				close(c->fd);
				c->state = LEFT;
			}
		}
		break;
	case 4: {                                              /* PUBACK */
		uint32_t slot = ((uint32_t)b[0] << 8 | b[1]) - 1;
		if (c->role != PUBLISHER || slot >= (uint32_t)opt.window)
			break;
		acked++;
		if (measuring)
			hist_add(&ack, now_ns() - c->sent_at[slot]);
		if (opt.text) {
			answered(c);
			break;
		}
		c->slots[c->free_slots++] = (uint16_t)slot;
		mark(c);
		break;
	}
	case 3:                                               /* PUBLISH */
		on_publish(c, first, b, n);
		break;
	}
}

/* Consumes complete packets, returns how many bytes were used. */
static uint32_t parse(struct conn *c, const uint8_t *b, uint32_t n)
{
	uint32_t at = 0;
	while (n - at >= 2 && !gone(c)) {
		uint32_t len = 0, shift = 0, p = at + 1;
		uint8_t x;
		do {
			if (p >= n)
				return at;
			x = b[p++];
			len |= (uint32_t)(x & 127) << shift;
			shift += 7;
		} while (x & 128 && shift < 28);
		if (n - p < len)
			return at;
		int fd = c->fd;
		on_packet(c, b[at], b + p, len);
		at = p + len;
		if (c->fd != fd || c->state == CONNECTING)
			return n;       /* churn: this is a new socket now */
	}
	return at;
}

static uint8_t inbuf[1 << 18];

static void on_readable(struct conn *c)
{
	ssize_t got = recv(c->fd, inbuf, sizeof inbuf, 0);
	if (got <= 0) {
		if (got < 0 && errno == EAGAIN)
			return;
		drop(c, 0);
		return;
	}
	uint8_t *b = inbuf;
	uint32_t n = (uint32_t)got;
	if (c->part_len) {
		if (c->part_len + n > c->part_cap) {
			c->part_cap = c->part_len + n;
			c->part = alloc(c->part, c->part_cap);
		}
		memcpy(c->part + c->part_len, inbuf, n);
		b = c->part;
		n += c->part_len;
	}
	uint32_t used = parse(c, b, n);
	if (gone(c))
		return;
	uint32_t rest = n - used;
	if (rest > c->part_cap) {
		c->part_cap = rest + 4096;
		c->part = alloc(c->part, c->part_cap);
	}
	if (rest)
		memmove(c->part, b + used, rest);
	c->part_len = rest;
	if (c->state != CONNECTING && c->out_len > c->out_off && !c->want_out)
		flush(c);
}

static void on_writable(struct conn *c)
{
	if (c->state == CONNECTING) {
		int err = 0;
		socklen_t n = sizeof err;
		getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &n);
		if (err) {
			drop(c, 0);
			return;
		}
		c->state = CONNACK_WAIT;
		watch(c, 0);
		queue_connect(c);
		flush(c);
		return;
	}
	if (!flush(c))
		return;
	if (c->role == PUBLISHER && c->state == READY) {
		pump(c);
		if (c->out_len == c->out_off && (!flooding() || !publishing))
			watch(c, 0);
	} else {
		watch(c, 0);
	}
}

/* One turn of the loop. */
static void turn(int timeout_ms)
{
	struct epoll_event ev[1024];
	while (pending_connects < opt.connecting && next_connect < nconns)
		start_connect(&conns[next_connect++]);
	int n = epoll_wait(ep, ev, 1024, timeout_ms);
	for (int i = 0; i < n; i++) {
		struct conn *c = ev[i].data.ptr;
		if (!gone(c) && ev[i].events & (EPOLLIN | EPOLLHUP |
							  EPOLLERR))
			if (c->state != CONNECTING)
				on_readable(c);
		if (!gone(c) && ev[i].events & (EPOLLOUT | EPOLLERR))
			on_writable(c);
	}
	for (int i = 0; i < ndirty; i++) {
		dirty[i]->dirty = 0;
		pump(dirty[i]);
	}
	ndirty = 0;
}

/* Fixed rate: hands every publisher the messages due by now, in turn. */
static uint64_t due_total;
static void plan(uint64_t now)
{
	/* Message k is due k/rate seconds after the start, as in pump(). */
	uint64_t due = 1 + (uint64_t)((double)(now - run_start) / 1e9 *
				      opt.rate);
	while (due_total < due) {
		struct conn *c = &conns[opt.subs + (int)(due_total %
						(uint64_t)opt.pubs)];
		c->planned++;
		due_total++;
		mark(c);
	}
}

/* ------------------------------------------------------------ accounting */

static double broker_cpu(void)
{
	char path[64], line[1024];
	unsigned long u = 0, s = 0;
	if (!opt.brokerpid)
		return 0;
	snprintf(path, sizeof path, "/proc/%d/stat", opt.brokerpid);
	FILE *f = fopen(path, "r");
	if (!f)
		return 0;
	char *p = fgets(line, sizeof line, f) ? strrchr(line, ')') : NULL;
	fclose(f);
	if (p)
		sscanf(p + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u "
		       "%lu %lu", &u, &s);
	return (double)(u + s) / (double)sysconf(_SC_CLK_TCK);
}

static long broker_rss_kib(void)
{
	char path[64], line[256];
	long kib = 0;
	if (!opt.brokerpid)
		return 0;
	snprintf(path, sizeof path, "/proc/%d/status", opt.brokerpid);
	FILE *f = fopen(path, "r");
	if (!f)
		return 0;
	while (fgets(line, sizeof line, f))
		if (sscanf(line, "VmRSS: %ld", &kib) == 1)
			break;
	fclose(f);
	return kib;
}

static double own_cpu(void)
{
	struct rusage r;
	getrusage(RUSAGE_SELF, &r);
	return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
	       (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

static void run_until(uint64_t end)
{
	for (uint64_t now; (now = now_ns()) < end;) {
		if (opt.rate > 0 && publishing) {
			plan(now);
			turn(0);
		} else {
			uint64_t left = (end - now) / 1000000;
			turn(left > 50 ? 50 : (int)left + 1);
		}
	}
}

static void usage(void)
{
	die("usage: mqttload [-h addr] [-p port] [-V 4|5] [-P pubs] [-S subs] "
	    "[-I idle] [-q qos]\n  [-Q subqos] [-w window] [-s bytes] "
	    "[-l own|pair|one] [-f filter] [-t prefix]\n  [-r rate] [-B batch] "
	    "[-d sec] [-W sec] [-D sec] [-c n] [-C] [-u user] [-x pass]\n  "
	    "[-a file] [-z] [-Z] [-k sec] [-i idprefix] [-o sndbuf] [-b pid] [-n label]\n"
	    "See the comment at the top of mqttload.c.");
}

static void options(int argc, char **argv)
{
	int o;
	while ((o = getopt(argc, argv, "h:p:V:P:S:I:q:Q:w:s:l:f:t:r:B:d:W:D:c:"
				       "Cu:x:a:zZk:i:o:b:n:j:")) != -1)
		switch (o) {
		case 'h': opt.host = optarg; break;
		case 'p': opt.port = atoi(optarg); break;
		case 'V': opt.version = atoi(optarg); break;
		case 'P': opt.pubs = atoi(optarg); break;
		case 'S': opt.subs = atoi(optarg); break;
		case 'I': opt.idle = atoi(optarg); break;
		case 'q': opt.qos = atoi(optarg); break;
		case 'Q': opt.subqos = atoi(optarg); break;
		case 'w': opt.window = atoi(optarg); break;
		case 's': opt.size = atoi(optarg); break;
		case 'l':
			if (!strcmp(optarg, "own")) opt.layout = OWN;
			else if (!strcmp(optarg, "pair")) opt.layout = PAIR;
			else if (!strcmp(optarg, "one")) opt.layout = ONE;
			else usage();
			break;
		case 'f': opt.filter = optarg; break;
		case 't': opt.prefix = optarg; break;
		case 'r': opt.rate = atof(optarg); break;
		case 'B': opt.batch = atoi(optarg); break;
		case 'd': opt.duration = atof(optarg); break;
		case 'W': opt.warmup = atof(optarg); break;
		case 'D': opt.drain = atof(optarg); break;
		case 'c': opt.connecting = atoi(optarg); break;
		case 'C': opt.churn = 1; break;
		case 'u': opt.user = optarg; break;
		case 'x': opt.pass = optarg; break;
		case 'a': opt.idfile = optarg; break;
		case 'Z': opt.leave = 1; /* fall through */
		case 'z': opt.persistent = 1; break;
		case 'k': opt.keepalive = atoi(optarg); break;
		case 'i': opt.idprefix = optarg; break;
		case 'o': opt.sndbuf = atoi(optarg); break;
		case 'b': opt.brokerpid = atoi(optarg); break;
		case 'n': opt.label = optarg; break;
		case 'j': opt.text = optarg; break;
		default: usage();
		}
	if (opt.churn)
		opt.pubs = opt.subs = opt.idle = 0;
	if (opt.subqos < 0)
		opt.subqos = opt.qos;
	if (opt.qos && opt.window < 1)
		opt.window = 1;
	if (!opt.qos && !opt.subs)
		opt.window = 0;
	if (opt.text) {
		opt.size = (int)strlen(opt.text);
		for (const char *t = opt.text; *t; t++)
			opt.size += *t == '#' ? DIGITS - 1 : 0;
		if (opt.qos != 1 || opt.window != 1 || opt.subs)
			usage();
	}
	if (opt.size < 16 || opt.qos > 1 || opt.qos < 0 || opt.window > 65535 ||
	    opt.connecting < 1 || (opt.version != 4 && opt.version != 5) ||
	    (opt.layout == PAIR && opt.subs && opt.subs != opt.pubs) ||
	    strlen(opt.prefix) > 200 || opt.pubs < 0 || opt.subs < 0 ||
	    (opt.user && strlen(opt.user) > 200) ||
	    (opt.pass && strlen(opt.pass) > 200))
		usage();
}

int main(int argc, char **argv)
{
	options(argc, argv);
	signal(SIGPIPE, SIG_IGN);
	struct rlimit lim;
	getrlimit(RLIMIT_NOFILE, &lim);
	lim.rlim_cur = lim.rlim_max;
	setrlimit(RLIMIT_NOFILE, &lim);

	if (opt.idfile)
		load_identities();

	/* Subscribers first, so that none misses a message. */
	nconns = opt.churn ? opt.connecting : opt.subs + opt.pubs + opt.idle;
	conns = calloc((size_t)nconns + 1, sizeof *conns);
	dirty = calloc((size_t)nconns + 1, sizeof *dirty);
	if (!conns || !dirty)
		die("mqttload: out of memory");
	for (int i = 0; i < nconns; i++) {
		struct conn *c = &conns[i];
		c->role = opt.churn ? CHURN : i < opt.subs ? SUBSCRIBER :
			  i < opt.subs + opt.pubs ? PUBLISHER : IDLE;
		c->index = (uint32_t)(c->role == PUBLISHER ? i - opt.subs :
			  c->role == IDLE ? i - opt.subs - opt.pubs : i);
		if (c->role == PUBLISHER)
			prepare_publish(c);
	}
	/* Order checking needs one counter per subscriber and publisher. */
	if (opt.subs && opt.pubs &&
	    (uint64_t)opt.subs * (uint64_t)opt.pubs <= 4000000)
		last_seq = calloc((size_t)opt.subs * (size_t)opt.pubs, 4);
	ep = epoll_create1(0);

	long rss0 = broker_rss_kib();
	uint64_t t0 = now_ns();
	if (!opt.churn) {
		while (ready < nconns && now_ns() - t0 < 60000000000u) {
			turn(50);
			if (refused || (lost_conns && !ready))
				break;
			if (next_connect == nconns && !pending_connects)
				break;
		}
		if (ready < nconns)
			fprintf(stderr, "mqttload: only %d of %d connected "
				"(refused %lu, lost %lu)\n", ready, nconns,
				(unsigned long)refused,
				(unsigned long)lost_conns);
		if (ready < nconns)
			return 1;
	}
	double connect_s = (double)(now_ns() - t0) / 1e9;

	publishing = opt.pubs > 0;
	run_start = now_ns();
	if (publishing && opt.rate <= 0)
		for (int i = 0; i < opt.pubs; i++)
			pump(&conns[opt.subs + i]);
	run_until(run_start + (uint64_t)(opt.warmup * 1e9));

	uint64_t s0 = sent, a0 = acked, r0 = received, c0 = churned;
	double cpu0 = broker_cpu(), own0 = own_cpu();
	uint64_t m0 = now_ns();
	measuring = 1;
	run_until(m0 + (uint64_t)(opt.duration * 1e9));
	measuring = 0;
	double wall = (double)(now_ns() - m0) / 1e9;
	double cpu = broker_cpu() - cpu0, own = own_cpu() - own0;
	uint64_t m_sent = sent - s0, m_acked = acked - a0;
	uint64_t m_received = received - r0, m_churned = churned - c0;
	long rss1 = broker_rss_kib();

	/* Let the stragglers arrive, then count what is missing. */
	publishing = 0;
	uint64_t want = sent * fan(), stop = now_ns() +
			(uint64_t)(opt.drain * 1e9);
	while (now_ns() < stop && !opt.churn &&
	       (received < want || (opt.qos && acked < sent)))
		turn(10);

	double n = (double)(m_churned ? m_churned : m_received > m_acked ?
			    m_received : m_acked ? m_acked : m_sent);
	printf("{\"label\":\"%s\",\"sent_s\":%.0f,\"delivered_s\":%.0f,"
	       "\"acked_s\":%.0f,\"connects_s\":%.0f,"
	       "\"e2e_us\":{\"p50\":%.0f,\"p90\":%.0f,\"p99\":%.0f,"
	       "\"p999\":%.0f,\"max\":%.0f},"
	       "\"ack_us\":{\"p50\":%.0f,\"p99\":%.0f,\"p999\":%.0f,"
	       "\"max\":%.0f},\"connect_us\":{\"p50\":%.0f,\"p99\":%.0f},"
	       "\"missing\":%lld,\"gaps\":%llu,\"reordered\":%llu,"
	       "\"duplicates\":%llu,\"bad\":%llu,\"lost_conns\":%llu,"
	       "\"gen_cpu\":%.2f,\"broker_cpu\":%.2f,"
	       "\"broker_cpu_us_per_msg\":%.3f,\"rss_before_kib\":%ld,"
	       "\"rss_kib\":%ld,\"rss_per_conn_kib\":%.2f}\n",
	       opt.label, (double)m_sent / wall, (double)m_received / wall,
	       (double)m_acked / wall,
	       opt.churn ? (double)m_churned / wall : nconns / connect_s,
	       hist_us(&e2e, .5), hist_us(&e2e, .9), hist_us(&e2e, .99),
	       hist_us(&e2e, .999), (double)e2e.max / 1000,
	       hist_us(&ack, .5), hist_us(&ack, .99), hist_us(&ack, .999),
	       (double)ack.max / 1000, hist_us(&conn_time, .5),
	       hist_us(&conn_time, .99),
	       (long long)(opt.churn ? 0 : want - received),
	       (unsigned long long)gaps, (unsigned long long)reordered,
	       (unsigned long long)duplicates, (unsigned long long)bad,
	       (unsigned long long)lost_conns,
	       own / wall, cpu / wall, n > 0 ? cpu * 1e6 / n : 0, rss0, rss1,
	       nconns && rss0 ? (double)(rss1 - rss0) / nconns : 0);
	return lost_conns ? 2 : 0;
}
