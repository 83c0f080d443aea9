/** Rules, what they still owe, and what they could not deliver, in SQL. Requests and actions carry credentials: sealed. */
import { type Insertable, type Kysely, type Selectable, sql } from "kysely";
import type { DeadLetter, PendingDelivery, RuleAction, RuleActionRecord, RuleRow, RuleStore } from "../rules/index.ts";
import type { RuleActionTable, RuleDeadLetterTable, RulePendingTable, RuleTable, Schema } from "./schema.ts";
import type { SecretBox } from "./secret-box.ts";

const errorActionSeal = "rules.error_action";

export function createSqliteRuleStore(db: Kysely<Schema>, box: SecretBox): RuleStore {
  const encodeAction = (ruleId: number, action: RuleAction) => ({
    rule_id: ruleId,
    sealed_action: box.seal(JSON.stringify(action), "rule_actions", String(ruleId)),
  });
  const decodeAction = (row: Selectable<RuleActionTable>): RuleActionRecord => ({
    id: row.id,
    ruleId: row.rule_id,
    action: JSON.parse(box.open(row.sealed_action, "rule_actions", String(row.rule_id))),
  });
  const sealErrorAction = ({ id, errorAction }: Pick<RuleRow, "id" | "errorAction">): Buffer | null =>
    errorAction === undefined ? null : box.seal(JSON.stringify(errorAction), errorActionSeal, String(id));
  const decodeRule = (row: Selectable<RuleTable>): RuleRow => ({
    id: row.id,
    name: row.name,
    description: row.description,
    language: row.language,
    sqlVersion: row.sql_version ?? undefined,
    sql: row.sql_text,
    dataType: row.data_type,
    isRunning: row.is_running === 1,
    errorAction:
      row.sealed_error_action === null ? undefined : JSON.parse(box.open(row.sealed_error_action, errorActionSeal, String(row.id))),
    createdAt: row.created_at,
    modifiedAt: row.modified_at,
  });
  const sealRequest = (table: string, row: { ruleId: number; actionId: number }, request: PendingDelivery["request"]) =>
    box.seal(JSON.stringify(request), table, `${row.ruleId}/${row.actionId}`);
  const openRequest = (table: string, row: Selectable<RulePendingTable> | Selectable<RuleDeadLetterTable>): PendingDelivery["request"] =>
    JSON.parse(box.open(row.sealed_request, table, `${row.rule_id}/${row.action_id}`));

  const insertActions = async (trx: Kysely<Schema>, ruleId: number, actions: RuleAction[]): Promise<RuleActionRecord[]> => {
    const records: RuleActionRecord[] = [];
    for (const action of actions) {
      const { id } = await trx.insertInto("rule_actions").values(encodeAction(ruleId, action)).returning("id").executeTakeFirstOrThrow();
      records.push({ id, ruleId, action });
    }
    return records;
  };

  return {
    async insertRule(rule, actions) {
      return db.transaction().execute(async (trx) => {
        const row = await trx
          .insertInto("rules")
          .values(encodeRule(rule))
          .onConflict((conflict) => conflict.doNothing())
          .returningAll()
          .executeTakeFirst();
        if (row === undefined) return "duplicate_name";
        // What is sealed is bound to the id.
        const sealed = sealErrorAction({ id: row.id, errorAction: rule.errorAction });
        if (sealed !== null) await trx.updateTable("rules").set({ sealed_error_action: sealed }).where("id", "=", row.id).execute();
        return { rule: decodeRule({ ...row, sealed_error_action: sealed }), actions: await insertActions(trx, row.id, actions) };
      });
    },

    async loadRules() {
      const rules = await db.selectFrom("rules").selectAll().orderBy("id").execute();
      const actions = await db.selectFrom("rule_actions").selectAll().orderBy("id").execute();
      const byRule = Map.groupBy(actions.map(decodeAction), (record) => record.ruleId);
      return rules.map((row) => ({ rule: decodeRule(row), actions: byRule.get(row.id) ?? [] }));
    },

    async updateRule(rule) {
      return db.transaction().execute(async (trx) => {
        const sameName = await trx.selectFrom("rules").select("id").where("name", "=", rule.name).executeTakeFirst();
        if (sameName !== undefined && sameName.id !== rule.id) return "duplicate_name";
        await trx
          .updateTable("rules")
          .set({ ...encodeRule(rule), sealed_error_action: sealErrorAction(rule) })
          .where("id", "=", rule.id)
          .execute();
        return "ok";
      });
    },

    async deleteRule(id) {
      await db.transaction().execute(async (trx) => {
        await trx.deleteFrom("rule_pending").where("rule_id", "=", id).execute();
        await trx.deleteFrom("rule_dead_letters").where("rule_id", "=", id).execute();
        await trx.deleteFrom("rules").where("id", "=", id).execute();
      });
    },

    async replaceActions(ruleId, actions) {
      return db.transaction().execute(async (trx) => {
        await trx.deleteFrom("rule_actions").where("rule_id", "=", ruleId).execute();
        return insertActions(trx, ruleId, actions);
      });
    },

    async insertAction(ruleId, action) {
      const { id } = await db.insertInto("rule_actions").values(encodeAction(ruleId, action)).returning("id").executeTakeFirstOrThrow();
      return { id, ruleId, action };
    },

    async updateAction({ id, ruleId, action }) {
      await db.updateTable("rule_actions").set(encodeAction(ruleId, action)).where("id", "=", id).execute();
    },

    async deleteAction(id) {
      await db.deleteFrom("rule_actions").where("id", "=", id).execute();
    },

    async insertPending(deliveries) {
      return db.transaction().execute(async (trx) => {
        const stored: PendingDelivery[] = [];
        for (const delivery of deliveries) {
          const { id } = await trx
            .insertInto("rule_pending")
            .values({
              rule_id: delivery.ruleId,
              action_id: delivery.actionId,
              topic: delivery.topic,
              payload: bytesOf(delivery.payload),
              sealed_request: sealRequest("rule_pending", delivery, delivery.request),
              tries: delivery.tries,
              next_try_at: delivery.nextTryAt,
              created_at: delivery.createdAt,
            })
            .returning("id")
            .executeTakeFirstOrThrow();
          stored.push({ ...delivery, id });
        }
        return stored;
      });
    },

    async loadPending(limit) {
      const rows = await db.selectFrom("rule_pending").selectAll().orderBy("next_try_at").orderBy("id").limit(limit).execute();
      return rows.map((row) => ({
        id: row.id,
        ruleId: row.rule_id,
        actionId: row.action_id,
        topic: row.topic,
        payload: row.payload,
        request: openRequest("rule_pending", row),
        tries: row.tries,
        nextTryAt: row.next_try_at,
        createdAt: row.created_at,
      }));
    },

    async updatePending(id, tries, nextTryAt) {
      await db.updateTable("rule_pending").set({ tries, next_try_at: nextTryAt }).where("id", "=", id).execute();
    },

    async deletePending(ids) {
      await db.transaction().execute(async (trx) => {
        for (const id of ids) await trx.deleteFrom("rule_pending").where("id", "=", id).execute();
      });
    },

    async insertDeadLetter(letter, entriesMax) {
      await db.transaction().execute(async (trx) => {
        await trx
          .insertInto("rule_dead_letters")
          .values({
            rule_id: letter.ruleId,
            action_id: letter.actionId,
            time: letter.time,
            topic: letter.topic,
            payload: bytesOf(letter.payload),
            sealed_request: sealRequest("rule_dead_letters", letter, letter.request),
            tries: letter.tries,
            code: letter.code,
            reason: letter.reason,
          })
          .execute();
        const surplus = trx
          .selectFrom("rule_dead_letters")
          .select("id")
          .where("rule_id", "=", letter.ruleId)
          .orderBy("id", "desc")
          .limit(-1)
          .offset(entriesMax);
        await trx.deleteFrom("rule_dead_letters").where("id", "in", surplus).execute();
      });
    },

    async listDeadLetters(ruleId, { page, pageSize }) {
      const matching = db.selectFrom("rule_dead_letters").where("rule_id", "=", ruleId);
      const rows = await matching
        .selectAll()
        .orderBy("id", "desc")
        .limit(pageSize)
        .offset((page - 1) * pageSize)
        .execute();
      const counted = await matching.select(sql<number>`count(*)`.as("count")).executeTakeFirst();
      return { rows: rows.map(decodeDeadLetter), total: Number(counted?.count ?? 0) };
    },

    async findDeadLetter(id) {
      const row = await db.selectFrom("rule_dead_letters").selectAll().where("id", "=", id).executeTakeFirst();
      return row && { ...decodeDeadLetter(row), request: openRequest("rule_dead_letters", row) };
    },

    async deleteDeadLetter(id) {
      await db.deleteFrom("rule_dead_letters").where("id", "=", id).execute();
    },
  };
}

function encodeRule(rule: Omit<RuleRow, "id">): Insertable<RuleTable> {
  return {
    name: rule.name,
    description: rule.description,
    language: rule.language,
    sql_version: rule.sqlVersion ?? null,
    sql_text: rule.sql,
    data_type: rule.dataType,
    is_running: rule.isRunning ? 1 : 0,
    created_at: rule.createdAt,
    modified_at: rule.modifiedAt,
  };
}

function decodeDeadLetter(row: Selectable<RuleDeadLetterTable>): DeadLetter {
  return {
    id: row.id,
    ruleId: row.rule_id,
    actionId: row.action_id,
    time: row.time,
    topic: row.topic,
    payload: row.payload,
    tries: row.tries,
    code: row.code,
    reason: row.reason,
  };
}

/** The driver binds Buffers only; a view, not a copy. */
function bytesOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
