/** Topic classes of the products in use, one list a product, shared by all its sessions and exchanged when they change. */
import type { TopicClass } from "@thingstead/dialects";
import type { Registry } from "../registry/index.ts";

/** A product's current list. Holders keep the page; its `classes` is replaced, never changed. */
export interface TopicPage {
  classes: readonly TopicClass[];
}

export interface TopicBook {
  /** The page when it is there already. */
  peek(productKey: string): TopicPage | undefined;
  /** The page, read from the registry the first time. */
  open(productKey: string): Promise<TopicPage>;
  /** Reads a page in use anew; pages nobody opened stay unread. */
  refresh(productKey: string): Promise<void>;
  /** The product is gone; whoever still holds the page has no more custom topics. */
  close(productKey: string): void;
}

/** Holds at most one page for each product of the registry, which bounds it. */
export function createTopicBook({ registry }: { registry: Pick<Registry, "listTopicClasses"> }): TopicBook {
  const pages = new Map<string, TopicPage>();
  const opening = new Map<string, Promise<TopicPage>>();
  /** Counts changes: a read that began before the last change is repeated. */
  const changes = new Map<string, number>();

  async function read(productKey: string): Promise<readonly TopicClass[]> {
    for (;;) {
      const before = changes.get(productKey);
      const records = await registry.listTopicClasses(productKey);
      if (changes.get(productKey) === before) return records.map(({ template, operation }) => ({ template, operation }));
    }
  }

  async function load(productKey: string): Promise<TopicPage> {
    try {
      const page = { classes: await read(productKey) };
      pages.set(productKey, page);
      return page;
    } finally {
      opening.delete(productKey);
      changes.delete(productKey);
    }
  }

  const noteChange = (productKey: string) => {
    if (pages.has(productKey) || opening.has(productKey)) changes.set(productKey, (changes.get(productKey) ?? 0) + 1);
  };

  return {
    peek: (productKey) => pages.get(productKey),
    async open(productKey) {
      const page = pages.get(productKey);
      if (page !== undefined) return page;
      const running = opening.get(productKey) ?? load(productKey);
      opening.set(productKey, running);
      return running;
    },
    async refresh(productKey) {
      noteChange(productKey);
      await opening.get(productKey);
      const page = pages.get(productKey);
      if (page === undefined) return;
      page.classes = await read(productKey);
    },
    close(productKey) {
      noteChange(productKey);
      const page = pages.get(productKey);
      if (page !== undefined) page.classes = [];
      pages.delete(productKey);
    },
  };
}
