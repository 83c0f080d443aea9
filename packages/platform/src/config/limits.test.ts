import { expect, test } from "vitest";
import { roomLimits } from "./limits.ts";

test("what the API lets through is not refused by the room behind it", () => {
  const { api, alibabaApi, registry, rules, deviceLog } = roomLimits;
  for (const room of [registry, rules, deviceLog]) expect(room.pageSizeMax).toBeGreaterThanOrEqual(api.pageSizeMax);
  expect(rules.pageSizeMax).toBeGreaterThanOrEqual(alibabaApi.rulePageEntriesMax);
  expect(api.ruleActionsMax).toBe(rules.actionsPerRuleMax);
  expect(api.batchDevicesMax).toBe(registry.batchDevicesMax);
});
