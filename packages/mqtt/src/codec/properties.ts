/** Property lists of MQTT 5: length, then identifier and value each. [5.0 section 2.2.2] */
import type { ByteReader } from "./byte-reader.ts";
import {
  type ByteWriter,
  binaryFieldBytes,
  cannotEncode,
  checkInteger,
  stringFieldBytes,
  variableByteIntegerBytes,
} from "./byte-writer.ts";
import type { Properties } from "./packet.ts";
import { type PropertyOwner, type PropertyRow, propertyOwners, propertyTable } from "./property-table.ts";
import { formatByte, violation } from "./rules.ts";
import { hasWildcard } from "./topic.ts";

const rowsById: readonly (PropertyRow | undefined)[] = Array.from({ length: 0x2b }, (_, id) => propertyTable.find((row) => row.id === id));
const rowsByName = new Map<string, PropertyRow>(propertyTable.map((row) => [row.name, row]));

/** A value, or the list of them for a property that is an array in {@link Properties}. */
type PropertyValue = number | string | Uint8Array | [string, string];
type PropertyBag = Record<string, PropertyValue | PropertyValue[]>;

/** Reads length and list. Undefined when the list is empty. */
export function decodeProperties(reader: ByteReader, owner: PropertyOwner): Properties | undefined {
  const length = reader.readVariableByteInteger();
  const start = reader.take(length);
  reader.position = start;
  return decodePropertyList(reader, start + length, owner);
}

/** Reads the list up to `end`. Undefined when it is empty. */
export function decodePropertyList(reader: ByteReader, end: number, owner: PropertyOwner): Properties | undefined {
  if (reader.position === end) return undefined;
  const bag: PropertyBag = {};
  while (reader.position < end) {
    const id = reader.readVariableByteInteger();
    const row = rowsById[id];
    if (row === undefined) throw violation("propertyUnknown", reader.version, formatByte(id));
    if ((row.owners & propertyOwners[owner]) === 0) throw violation("propertyMisplaced", reader.version, `${row.name} in ${owner}`);
    const value = readValue(reader, row);
    // A value may not reach past the list, although the packet itself would go on.
    if (reader.position > end) throw violation("truncated", reader.version, `${row.name} reaches past the properties`);
    keepValue(bag, row, value, owner, reader);
  }
  const properties = bag as Properties;
  checkTogether(properties, reader);
  return properties;
}

function readValue(reader: ByteReader, row: PropertyRow): PropertyValue {
  switch (row.kind) {
    case "byte":
      return inRange(reader, row, reader.readByte());
    case "uint16":
      return inRange(reader, row, reader.readUint16());
    case "uint32":
      return inRange(reader, row, reader.readUint32());
    case "variable":
      return inRange(reader, row, reader.readVariableByteInteger());
    case "string":
      return reader.readString();
    case "binary":
      return reader.readBinary();
    case "pair":
      return [reader.readString(), reader.readString()];
  }
}

function inRange(reader: ByteReader, row: PropertyRow, value: number): number {
  if (value < row.min || value > row.max) throw violation(row.rangeRule, reader.version, `${row.name} ${value}`);
  return value;
}

function keepValue(bag: PropertyBag, row: PropertyRow, value: PropertyValue, owner: PropertyOwner, reader: ByteReader): void {
  const held = bag[row.name];
  if (held !== undefined && (row.repeatableIn & propertyOwners[owner]) === 0) {
    throw violation("propertyRepeated", reader.version, `${row.name} twice`);
  }
  // `subscriptionIdentifiers` is a list wherever it stands, also in SUBSCRIBE where it has one element.
  if (row.repeatableIn === 0) bag[row.name] = value;
  else if (Array.isArray(held)) (held as PropertyValue[]).push(value);
  else bag[row.name] = [value];
}

function checkTogether(properties: Properties, reader: ByteReader): void {
  if (properties.authenticationData !== undefined && properties.authenticationMethod === undefined) {
    throw violation("authenticationMethodMissing", reader.version, "authentication data alone");
  }
  const responseTopic = properties.responseTopic;
  if (responseTopic === undefined) return;
  if (responseTopic === "") throw violation("topicEmpty", reader.version, "empty response topic");
  // [MQTT-3.3.2-14]
  if (hasWildcard(responseTopic)) {
    throw violation("responseTopicHasWildcard", reader.version, responseTopic);
  }
}

/**
 * Size of the list without its length field. Properties that `owner` cannot carry are left out, so that a will's
 * properties can be handed over as they are when the will becomes a PUBLISH.
 *
 * @throws CodecError `mqtt.cannot_encode`
 */
export function propertyListBytes(properties: Properties | undefined, owner: PropertyOwner): number {
  if (properties === undefined) return 0;
  let bytes = 0;
  for (const [row, value] of rowsOf(properties, owner)) bytes += 1 + valueBytes(row, value);
  return bytes;
}

/** Size of length field and list. */
export function propertiesBytes(listBytes: number): number {
  return variableByteIntegerBytes(listBytes) + listBytes;
}

/** Writes length and list; `listBytes` comes from {@link propertyListBytes}. */
export function encodeProperties(writer: ByteWriter, properties: Properties | undefined, owner: PropertyOwner, listBytes: number): void {
  writer.writeVariableByteInteger(listBytes);
  if (properties === undefined) return;
  for (const [row, value] of rowsOf(properties, owner)) {
    writer.writeByte(row.id);
    writeValue(writer, row, value);
  }
}

function* rowsOf(properties: Properties, owner: PropertyOwner): Generator<[PropertyRow, PropertyValue]> {
  for (const [name, value] of Object.entries(properties)) {
    const row = rowsByName.get(name);
    if (row === undefined) throw cannotEncode(`property ${name}`, "a property of MQTT 5.0");
    if (value === undefined || (row.owners & propertyOwners[owner]) === 0) continue;
    if (row.repeatableIn === 0) {
      yield [row, value];
      continue;
    }
    if ((row.repeatableIn & propertyOwners[owner]) === 0 && value.length > 1) throw cannotEncode(`${value.length} ${name}`, "at most one");
    for (const element of value) yield [row, element];
  }
}

function valueBytes(row: PropertyRow, value: PropertyValue): number {
  switch (row.kind) {
    case "byte":
    case "uint16":
    case "uint32":
    case "variable": {
      const number = asKind(row, value, isNumber);
      checkInteger(number, row.min, row.max, row.name);
      if (row.kind === "variable") return variableByteIntegerBytes(number);
      return row.kind === "byte" ? 1 : row.kind === "uint16" ? 2 : 4;
    }
    case "string":
      return stringFieldBytes(asKind(row, value, isString));
    case "binary":
      return binaryFieldBytes(asKind(row, value, isBytes));
    case "pair": {
      const [name, text] = asKind(row, value, isPair);
      return stringFieldBytes(name) + stringFieldBytes(text);
    }
  }
}

function writeValue(writer: ByteWriter, row: PropertyRow, value: PropertyValue): void {
  switch (row.kind) {
    case "byte":
      writer.writeByte(asKind(row, value, isNumber));
      break;
    case "uint16":
      writer.writeUint16(asKind(row, value, isNumber));
      break;
    case "uint32":
      writer.writeUint32(asKind(row, value, isNumber));
      break;
    case "variable":
      writer.writeVariableByteInteger(asKind(row, value, isNumber));
      break;
    case "string":
      writer.writeString(asKind(row, value, isString));
      break;
    case "binary":
      writer.writeBinary(asKind(row, value, isBytes));
      break;
    case "pair": {
      const [name, text] = asKind(row, value, isPair);
      writer.writeString(name);
      writer.writeString(text);
    }
  }
}

const isNumber = (value: PropertyValue): value is number => typeof value === "number";
const isString = (value: PropertyValue): value is string => typeof value === "string";
const isBytes = (value: PropertyValue): value is Uint8Array => value instanceof Uint8Array;
const isPair = (value: PropertyValue): value is [string, string] =>
  Array.isArray(value) && value.length === 2 && typeof value[0] === "string" && typeof value[1] === "string";

function asKind<T extends PropertyValue>(row: PropertyRow, value: PropertyValue, is: (value: PropertyValue) => value is T): T {
  if (!is(value)) throw cannotEncode(`${row.name} as ${typeof value}`, row.kind);
  return value;
}
