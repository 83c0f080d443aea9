/** Topic names, topic filters and shared subscriptions. [MQTT-4.7, MQTT-4.8.2] */

export interface SharedFilter {
  group: string;
  filter: string;
}

const sharePrefix = "$share/";

/** True for a topic a message can have: 1 to 65535 UTF-8 bytes, no U+0000, no wildcard. */
export function isTopicNameValid(topic: string): boolean {
  return isTextUsable(topic) && !hasWildcard(topic);
}

/** True for a filter a client can subscribe to, including `$share/group/filter`. */
export function isTopicFilterValid(filter: string): boolean {
  return isTextUsable(filter) && findBrokenFilterRule(filter) === undefined;
}

export function hasWildcard(topic: string): boolean {
  return topic.includes("+") || topic.includes("#");
}

/** Whether a subscription to the filter would get a message on the topic; for one filter at a time. [MQTT-4.7] */
export function isTopicMatching(filter: string, topic: string): boolean {
  // [MQTT-4.7.2-1] A wildcard in the first level does not take topics that start with $.
  if (topic.startsWith("$") && (filter.startsWith("+") || filter.startsWith("#"))) return false;
  const levels = filter.split("/");
  const texts = topic.split("/");
  const isOpen = levels.at(-1) === "#";
  if (isOpen) levels.pop();
  if (isOpen ? texts.length < levels.length : texts.length !== levels.length) return false;
  return levels.every((level, index) => level === "+" || level === texts[index]);
}

/** Whether a topic that the filter matches is the level above its `#`: `a` for `a/#`. [MQTT-4.7.1-2] */
export function isParentOfHash(filter: string, topic: string): boolean {
  return filter.endsWith("/#") && topic.split("/").length < filter.split("/").length;
}

/** The rule that a filter breaks, once its text is known to be good UTF-8. */
export function findBrokenFilterRule(filter: string): "filterEmpty" | "filterInvalid" | "sharedFilterInvalid" | undefined {
  if (filter === "") return "filterEmpty";
  if (!filter.startsWith(sharePrefix)) return areWildcardsValid(filter) ? undefined : "filterInvalid";
  const shared = parseSharedFilter(filter);
  if (shared === undefined) return "sharedFilterInvalid";
  return areWildcardsValid(shared.filter) ? undefined : "filterInvalid";
}

/**
 * Splits `$share/group/filter`. Undefined when the filter is not a shared one or is malformed: an empty group, a group
 * with a wildcard, or no filter behind the group. [MQTT-4.8.2-1, MQTT-4.8.2-2]
 */
export function parseSharedFilter(filter: string): SharedFilter | undefined {
  if (!filter.startsWith(sharePrefix)) return undefined;
  const slash = filter.indexOf("/", sharePrefix.length);
  if (slash <= sharePrefix.length || slash === filter.length - 1) return undefined;
  const group = filter.slice(sharePrefix.length, slash);
  if (hasWildcard(group)) return undefined;
  return { group, filter: filter.slice(slash + 1) };
}

// [MQTT-4.7.1-1] `#` stands alone in the last level. [MQTT-4.7.1-2] `+` fills a whole level. (5.0 numbering.)
function areWildcardsValid(filter: string): boolean {
  const last = filter.length - 1;
  for (let index = 0; index <= last; index++) {
    const character = filter.charCodeAt(index);
    if (character !== 0x23 && character !== 0x2b) continue;
    if (index > 0 && filter.charCodeAt(index - 1) !== 0x2f) return false;
    if (character === 0x23 ? index !== last : index < last && filter.charCodeAt(index + 1) !== 0x2f) return false;
  }
  return true;
}

// [MQTT-4.7.3-1] at least one character, [MQTT-4.7.3-2] no U+0000, [MQTT-4.7.3-3] at most 65535 bytes.
function isTextUsable(text: string): boolean {
  return text.length > 0 && text.isWellFormed() && !text.includes("\0") && Buffer.byteLength(text) <= 65535;
}
