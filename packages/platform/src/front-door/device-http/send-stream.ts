import type { ServerResponse } from "node:http";
import type { DeviceHttpStream } from "./device-http.ts";

/**
 * Writes a body piece by piece and waits whenever the client has not taken the last one. False when the client went away.
 *
 * @param onTaken called whenever the client has taken something
 */
export async function sendStream(response: ServerResponse, body: Pick<DeviceHttpStream, "next">, onTaken: () => void): Promise<boolean> {
  const turn = new DrainTurn(response);
  try {
    for (let piece = body.next(); piece !== undefined; piece = body.next()) {
      const bytes = piece instanceof Promise ? await piece : piece;
      if (response.destroyed) return false;
      // Pieces are shared by all downloads: they are written, never copied or changed.
      if (response.write(bytes)) continue;
      if (!(await turn.wait())) return false;
      onTaken();
    }
    return !response.destroyed;
  } finally {
    turn.end();
  }
}

/** One pair of listeners for a whole body. */
class DrainTurn {
  readonly #response: ServerResponse;
  #resume: ((isOpen: boolean) => void) | undefined;
  readonly #drained = (): void => this.#settle(true);
  readonly #closed = (): void => this.#settle(false);

  constructor(response: ServerResponse) {
    this.#response = response;
    response.on("drain", this.#drained);
    response.on("close", this.#closed);
  }

  /** True: go on. False: the client is gone. */
  wait(): Promise<boolean> {
    if (this.#response.destroyed) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.#resume = resolve;
    });
  }

  end(): void {
    this.#response.off("drain", this.#drained);
    this.#response.off("close", this.#closed);
  }

  #settle(isOpen: boolean): void {
    const resume = this.#resume;
    this.#resume = undefined;
    resume?.(isOpen);
  }
}
