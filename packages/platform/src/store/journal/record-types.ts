/** Kinds of records in a batch, and the flags of a message. Numbers are for ever: files hold them. Integers are little-endian. */
export const recordTypes = {
  /** key u32, behaviour text, the rest as text (JSON) */
  session: 1,
  /** key u32 */
  sessionRemoved: 2,
  /** key u32, text (JSON) */
  subscription: 3,
  /** key u32, filter text */
  subscriptionRemoved: 4,
  /** key u32, sequence f64, flags u8, packet identifier u16, [identifiers text], [share filter text], [body] */
  message: 5,
  /** key u32, sequence f64, packet identifier u16 */
  sent: 6,
  /** key u32, sequence f64 */
  released: 7,
  /** key u32, sequence f64 */
  messageRemoved: 8,
  /** key u32, packet identifier u16 */
  receivedId: 9,
  /** key u32, packet identifier u16 */
  receivedIdRemoved: 10,
  /** qos u8, flags u8, body */
  retained: 11,
  /** topic text */
  retainedRemoved: 12,
} as const;

/** body: received at f64, topic text, payload (length u32, bytes), [properties text] */
export const messageFlags = {
  qos: 0b11,
  isRetained: 1 << 2,
  isReleased: 1 << 3,
  hasIdentifiers: 1 << 4,
  hasProperties: 1 << 5,
  /** The body is that of the message record before it in the same batch: one message owed to many is written once. */
  hasSameBody: 1 << 6,
  /** It came by a shared subscription. */
  hasShareFilter: 1 << 7,
} as const;
