/** FROM of a rule: one topic, or an MQTT filter with `+` and `#`. */

/**
 * Thing-model data is one stream under two spellings, `/sys/pk/dn/thing/…` and `/pk/dn/thing/…` [alibaba-server 2.5];
 * the shorter one is the forwarding topic. All other topics are themselves.
 */
export function forwardingTopic(topic: string): string {
  return topic.startsWith("/sys/") && /^\/sys\/[^/]+\/[^/]+\/thing(?:\/|$)/.test(topic) ? topic.slice("/sys".length) : topic;
}

/** @returns what is wrong with a FROM topic, or undefined */
export function checkFilter(filter: string, topicBytesMax: number): string | undefined {
  if (filter === "") return "topic is empty";
  const bytes = Buffer.byteLength(filter);
  if (bytes > topicBytesMax) return `topic is ${bytes} bytes long; at most ${topicBytesMax}`;
  if (filter.includes("\0")) return "topic holds a zero character";
  if (filter.startsWith("$share/")) return "topic is a shared subscription; a rule reads every message itself";
  const levels = filter.split("/");
  for (const [index, level] of levels.entries()) {
    if (level.includes("#") && (level !== "#" || index !== levels.length - 1)) return "# may only be the whole last level of a topic";
    if (level.includes("+") && level !== "+") return "+ may only be a whole level of a topic";
  }
  return undefined;
}

/** Compiles a filter once; both sides are brought to their forwarding form. `a/#` takes `a` as the standard says, or not. */
export function compileFilter(filter: string, { hashMatchesParent = true } = {}): (topic: string) => boolean {
  const wanted = forwardingTopic(filter);
  if (!/[+#]/.test(wanted)) return (topic) => forwardingTopic(topic) === wanted;
  const levels = wanted.split("/");
  const hasTail = levels.at(-1) === "#";
  if (hasTail) levels.pop();
  // [MQTT-4.7.2-1] A wildcard in the first level does not take topics that start with $.
  const startsWild = levels[0] === "+" || levels.length === 0;
  return (topic) => {
    if (startsWild && topic.startsWith("$")) return false;
    const parts = forwardingTopic(topic).split("/");
    if (hasTail ? parts.length < levels.length + (hashMatchesParent ? 0 : 1) : parts.length !== levels.length) return false;
    return levels.every((level, index) => level === "+" || level === parts[index]);
  };
}
