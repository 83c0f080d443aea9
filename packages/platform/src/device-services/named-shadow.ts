/** Shadows that go by a thing's name and their own: JSON documents of a cloud whose words this room does not know. */

export interface NamedShadowKey {
  readonly thingName: string;
  /** Empty: the one that has no name. */
  readonly shadowName: string;
}

/** JSON texts. */
interface NamedShadowContent {
  readonly state: string;
  readonly metadata: string;
}

interface StoredNamedShadow extends NamedShadowContent {
  readonly version: number;
  /** Milliseconds since the epoch. */
  readonly modifiedAt: number;
}

/** What a step sees. */
export interface NamedShadowView {
  readonly shadow?: StoredNamedShadow;
  /** Of the shadow, or of one deleted lately; 0: neither. */
  readonly storedVersion: number;
}

/** What becomes of it: what is saved has the version after the stored one. */
export type NamedShadowStep<T> =
  | { readonly kind: "keep"; readonly answer: T }
  | { readonly kind: "save"; readonly content: NamedShadowContent; readonly answer: T }
  | { readonly kind: "delete"; readonly answer: T };

export interface NamedShadows {
  /**
   * One after the other in the order of the calls. What `step` decides is on the disk when it resolves. `step` waits for nothing.
   * Throws `device_services.named_shadow_*`: throttled, too many of a thing, no room left.
   */
  take<T>(key: NamedShadowKey, step: (view: NamedShadowView) => NamedShadowStep<T>): Promise<T>;
  /** In the order of names, without the one that has none. */
  names(thingName: string, page: { afterName?: string; limit: number }): Promise<string[]>;
  /** Those there are, as they lie on the disk: for looking through many, without a turn. */
  peek(keys: readonly NamedShadowKey[]): Promise<(NamedShadowKey & StoredNamedShadow)[]>;
}

/** A row: a shadow, or the memory of one. */
export interface NamedShadowRow extends NamedShadowKey, StoredNamedShadow {
  /** What it counts for against `namedShadowBytesMax`. */
  readonly bytes: number;
  /** Its texts are empty then. */
  readonly deletedAt?: number;
}

export interface NamedShadowStore {
  /** Those there are, in any order. */
  load(keys: readonly NamedShadowKey[]): Promise<NamedShadowRow[]>;
  /** One commit; durable when it resolves. */
  save(rows: readonly NamedShadowRow[]): Promise<void>;
  /** Shadows of a thing, deleted ones not counted. */
  count(thingName: string): Promise<number>;
  /** In the order of names, without the empty one and deleted ones. */
  names(thingName: string, page: { afterName?: string; limit: number }): Promise<string[]>;
  totalBytes(): Promise<number>;
  /** Forgets what was deleted before; the bytes that it counted for. */
  forgetDeleted(before: number): Promise<number>;
}
