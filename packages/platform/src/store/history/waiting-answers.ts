/** Questions to a thread that wait for their answer. */
import type { PlatformError } from "../../errors/index.ts";

interface Waiting {
  resolve(value: unknown): void;
  reject(error: PlatformError): void;
}

export class WaitingAnswers {
  readonly #waiting = new Map<number, Waiting>();
  #id = 0;

  get size(): number {
    return this.#waiting.size;
  }

  wait(ask: (id: number) => void): Promise<unknown> {
    this.#id += 1;
    const id = this.#id;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      ask(id);
    });
  }

  resolve(id: number, value: unknown): void {
    this.#waiting.get(id)?.resolve(value);
    this.#waiting.delete(id);
  }

  reject(id: number, error: PlatformError): void {
    this.#waiting.get(id)?.reject(error);
    this.#waiting.delete(id);
  }

  rejectAll(error: PlatformError): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
