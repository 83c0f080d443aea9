import { expect, test } from "vitest";
import { formatXml } from "./xml.ts";

test("reference 1.5: members become elements and arrays repeat theirs", () => {
  const value = { RequestId: "R", Data: { List: { Item: [{ Id: 1 }, { Id: 2 }] } }, Gone: undefined, Empty: [], Flag: true };
  expect(formatXml("PubResponse", value)).toBe(
    '<?xml version="1.0" encoding="UTF-8"?>\n' +
      "<PubResponse><RequestId>R</RequestId><Data><List><Item><Id>1</Id></Item><Item><Id>2</Id></Item></List></Data><Flag>true</Flag></PubResponse>",
  );
});

test("text is escaped, and what XML cannot hold is replaced", () => {
  expect(formatXml("A", { T: `<a b="c" d='e'>&\r\n\u0000\uD800中😀]]>` })).toContain(
    "<T>&lt;a b=&quot;c&quot; d=&apos;e&apos;&gt;&amp;&#13;\n\uFFFD\uFFFD中😀]]&gt;</T>",
  );
});
