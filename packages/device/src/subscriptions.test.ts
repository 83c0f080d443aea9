import { expect, test } from "vitest";
import { type ReceivedMessage, Subscriptions } from "./subscriptions.ts";

const noErrors = (error: unknown) => {
  throw error;
};
const message = (topic: string): ReceivedMessage => ({ topic, payload: Buffer.from("x"), qos: 0, isDuplicate: false });

test("3: no portion has more than the 8 filters that the cloud takes in one SUBSCRIBE", () => {
  const subscriptions = new Subscriptions(noErrors);
  for (let index = 0; index < 17; index += 1) subscriptions.add(`/pk/dn/t${index}`, index === 3 ? 1 : 0, () => {});
  const portions = subscriptions.portions();
  expect(portions.map((portion) => Object.keys(portion).length)).toEqual([8, 8, 1]);
  expect(portions[0]?.["/pk/dn/t3"]).toEqual({ qos: 1 });
  expect(new Set(portions.flatMap(Object.keys)).size).toBe(17);
});

test("every handler of every matching filter gets a message, until it or its filter is gone", () => {
  const subscriptions = new Subscriptions(noErrors);
  const got: string[] = [];
  const one = () => got.push("one");
  subscriptions.add("/a/+", 0, one);
  subscriptions.add("/a/+", 0, () => got.push("two"));
  subscriptions.add("/a/b", 0, () => got.push("three"));
  subscriptions.dispatch(message("/a/b"));
  subscriptions.remove("/a/+", one);
  subscriptions.dispatch(message("/a/c"));
  subscriptions.delete("/a/+");
  subscriptions.dispatch(message("/a/c"));
  expect(got).toEqual(["one", "two", "three", "two"]);
  expect(subscriptions.portions()).toEqual([{ "/a/b": { qos: 0 } }]);
});

test("a handler that throws is told of, and the others get the message all the same", () => {
  const errors: unknown[] = [];
  const subscriptions = new Subscriptions((error) => errors.push(error));
  const got: string[] = [];
  const fault = new Error("handler");
  subscriptions.add("/a", 0, () => {
    throw fault;
  });
  subscriptions.add("/a", 0, () => got.push("same filter"));
  subscriptions.add("/+", 0, () => got.push("other filter"));
  subscriptions.dispatch(message("/a"));
  expect(got).toEqual(["same filter", "other filter"]);
  expect(errors).toEqual([fault]);
});
