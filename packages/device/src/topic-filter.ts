/** Whether a topic matches a subscription's filter. [MQTT-4.7.1] */
export function topicMatchesFilter(topic: string, filter: string): boolean {
  const topicLevels = topic.split("/");
  const filterLevels = filter.split("/");
  // [MQTT-4.7.2-1] Wildcards at the start do not reach server topics.
  if (topic.startsWith("$") && !filter.startsWith("$")) return false;
  for (const [index, level] of filterLevels.entries()) {
    // [MQTT-4.7.1-2] `#` also stands for its parent level.
    if (level === "#") return topicLevels.length >= index;
    const text = topicLevels[index];
    if (text === undefined || (level !== "+" && level !== text)) return false;
  }
  return topicLevels.length === filterLevels.length;
}
