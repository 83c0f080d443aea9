/** A device's row number by its names, as a part of statements. */
import { type RawBuilder, sql } from "kysely";

export function deviceRowId(device: { readonly productKey: string; readonly deviceName: string }): RawBuilder<number> {
  return sql<number>`(select id from devices where product_key = ${device.productKey} and device_name = ${device.deviceName})`;
}
