/** Devices as CSV (RFC 4180) that a spreadsheet may open. */
import type { Device } from "../../registry/index.ts";

const columns = ["deviceName", "deviceSecret", "productKey", "iotId"] as const;

export function formatDevicesCsv(devices: readonly Device[]): string {
  const rows = devices.map((device) => columns.map((column) => formatCell(device[column])).join(","));
  return `${[columns.join(","), ...rows].join("\r\n")}\r\n`;
}

/** A cell that a spreadsheet would run as a formula gets an apostrophe in front, which spreadsheets and our import take away again. */
function formatCell(value: string): string {
  const harmless = /^[=+\-@\t\r']/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
