/** Tags of the device. Source: alibaba-device.md, 8.2. */
import type { Requests } from "../requests.ts";

/** `device.tags`. @example await device.tags.set({ room: "kitchen" }) */
export class TagClient {
  readonly #requests: Requests;

  constructor(requests: Requests) {
    this.#requests = requests;
  }

  /** Adds tags or changes them; others stay. */
  async set(tags: Readonly<Record<string, string>>): Promise<void> {
    const params = Object.entries(tags).map(([attrKey, attrValue]) => ({ attrKey, attrValue }));
    await this.#requests.ask("thing/deviceinfo/update", params);
  }

  /** Takes tags away; ones that are not there are no error. */
  async remove(keys: readonly string[]): Promise<void> {
    await this.#requests.ask(
      "thing/deviceinfo/delete",
      keys.map((attrKey) => ({ attrKey })),
    );
  }
}
