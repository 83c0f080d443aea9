/** Messages for all devices of a product. Source: alibaba-device.md, 8.5. */
import type { Link, Stop } from "../link.ts";
import type { MessageHandler } from "../subscriptions.ts";

/** `device.broadcasts`. */
export class BroadcastClient {
  readonly #link: Link;

  constructor(link: Link) {
    this.#link = link;
  }

  /** What goes to the subscribers of a name that programs and devices agreed on. */
  subscribe(name: string, handler: MessageHandler): Promise<Stop> {
    return this.#link.listen(`/broadcast/${this.#link.productKey}/${name}`, handler);
  }

  /** What goes to every device that is online; it comes without a SUBSCRIBE. Returns what ends it. */
  onAll(handler: MessageHandler): () => void {
    const { productKey, deviceName } = this.#link;
    return this.#link.overhear(`/sys/${productKey}/${deviceName}/broadcast/request/+`, handler);
  }
}
