/** Reads server-sent events (WHATWG HTML, section 9.2) out of pieces of any size. */
export interface ServerEvent {
  event: string;
  id: string | undefined;
  data: string;
}

const blockCharactersMax = 1024 * 1024;

export async function* readEvents(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<ServerEvent> {
  const decoder = new TextDecoder();
  let waiting = "";
  for await (const piece of pieces) {
    waiting += decoder.decode(piece, { stream: true }).replaceAll("\r\n", "\n");
    let end = waiting.indexOf("\n\n");
    while (end >= 0) {
      const event = parseBlock(waiting.slice(0, end));
      waiting = waiting.slice(end + 2);
      if (event !== undefined) yield event;
      end = waiting.indexOf("\n\n");
    }
    if (waiting.length > blockCharactersMax) throw new Error(`an event is longer than ${blockCharactersMax} characters`);
  }
}

function parseBlock(block: string): ServerEvent | undefined {
  let event = "message";
  let id: string | undefined;
  const data: string[] = [];
  for (const line of block.split("\n")) {
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "event") event = value;
    else if (name === "id") id = value;
    else if (name === "data") data.push(value);
  }
  return data.length === 0 ? undefined : { event, id, data: data.join("\n") };
}
