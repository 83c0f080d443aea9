/** What a thing model is: the TSL of one module as data, with everything the vendor's file had. */

/** Members that we do not know. They are kept and written back. */
export type ExtraMembers = Readonly<Record<string, unknown>>;

/** Numbers stay the texts that the vendor writes (`"0.10"`), so that nothing is lost on the way through. */
export interface NumberSpecs {
  readonly min?: string;
  readonly max?: string;
  readonly unit?: string;
  readonly unitName?: string;
  readonly step?: string;
  readonly extra?: ExtraMembers;
}

export interface NumberType {
  readonly type: "int" | "float" | "double";
  readonly specs?: NumberSpecs;
  readonly extra?: ExtraMembers;
}

/** `specs` maps the number, as text, to its label. */
export interface ChoiceType {
  readonly type: "bool" | "enum";
  readonly specs?: Readonly<Record<string, string>>;
  readonly extra?: ExtraMembers;
}

export interface TextType {
  readonly type: "text";
  /** `length`: greatest number of UTF-8 bytes, as text. */
  readonly specs?: { readonly length?: string; readonly extra?: ExtraMembers };
  readonly extra?: ExtraMembers;
}

/** Milliseconds since 1970 UTC, on the wire a text of digits. */
interface DateType {
  readonly type: "date";
  readonly specs?: ExtraMembers;
  readonly extra?: ExtraMembers;
}

export interface StructType {
  readonly type: "struct";
  readonly specs: readonly Parameter[];
  readonly extra?: ExtraMembers;
}

export interface ArrayType {
  readonly type: "array";
  /** `size`: greatest number of elements, as text. */
  readonly specs: { readonly size: string; readonly item: DataType; readonly extra?: ExtraMembers };
  readonly extra?: ExtraMembers;
}

/** The type of a property, a parameter or a struct's member [alibaba-device 5.10]. */
export type DataType = NumberType | ChoiceType | TextType | DateType | StructType | ArrayType;

/** A parameter of an event or service, or a member of a struct. */
export interface Parameter {
  readonly identifier: string;
  readonly name: string;
  readonly desc?: string;
  readonly required?: boolean;
  readonly dataType: DataType;
  readonly extra?: ExtraMembers;
}

/** What a device is. */
export interface Property {
  readonly identifier: string;
  readonly name: string;
  /** `w` occurs in stored models only; a device may report it all the same. */
  readonly accessMode: "r" | "rw" | "w";
  readonly required: boolean;
  readonly desc?: string;
  readonly dataType: DataType;
  readonly extra?: ExtraMembers;
}

/** What happens to a device. */
export interface ThingEvent {
  readonly identifier: string;
  readonly name: string;
  readonly type: "info" | "alert" | "error";
  readonly required: boolean;
  readonly desc?: string;
  readonly outputData: readonly Parameter[];
  readonly extra?: ExtraMembers;
}

/** What a device can be asked to do. `sync` waits for the device's answer. */
export interface Service {
  readonly identifier: string;
  readonly name: string;
  readonly required: boolean;
  readonly callType: "async" | "sync";
  readonly desc?: string;
  readonly inputData: readonly Parameter[];
  readonly outputData: readonly Parameter[];
  readonly extra?: ExtraMembers;
}

/** Texts of a generated function as the file had them. Its parameters always follow from the properties. */
export interface GeneratedFunction {
  readonly name?: string;
  readonly desc?: string;
  readonly required?: boolean;
  readonly callType?: "async" | "sync";
  readonly type?: "info" | "alert" | "error";
  readonly extra?: ExtraMembers;
}

/** A custom module that a default module lists. */
export interface ModuleReference {
  readonly functionBlockId: string;
  readonly functionBlockName?: string;
  readonly productKey?: string;
  readonly description?: string;
  readonly extra?: ExtraMembers;
}

export interface Profile {
  readonly version?: string;
  readonly productKey?: string;
  readonly deviceName?: string;
  readonly extra?: ExtraMembers;
}

/** One module of a product's thing model: the default one, or a custom one when `functionBlockId` is there. */
export interface ThingModel {
  readonly schema: string;
  readonly profile: Profile;
  readonly link?: string;
  readonly version?: string;
  readonly functionBlockId?: string;
  readonly functionBlockName?: string;
  readonly properties: readonly Property[];
  readonly events: readonly ThingEvent[];
  readonly services: readonly Service[];
  readonly functionBlocks?: readonly ModuleReference[];
  /** The generated event `post` and services `set` and `get`, where the file had them. */
  readonly generated: { readonly post?: GeneratedFunction; readonly set?: GeneratedFunction; readonly get?: GeneratedFunction };
  readonly extra?: ExtraMembers;
}

/** Where the vendor keeps the schema today; older files name another place. */
export const vendorSchema = "https://iotx-tsl.oss-ap-southeast-1.aliyuncs.com/schema.json";

/**
 * The identifier as it is on the wire: `module:identifier` in a custom module, the bare one else [alibaba-device 5.10].
 *
 * @example wireIdentifier({ functionBlockId: "Battery" }, "level") // "Battery:level"
 */
export function wireIdentifier(model: Pick<ThingModel, "functionBlockId">, identifier: string): string {
  if (model.functionBlockId === undefined || identifier.includes(":")) return identifier;
  return `${model.functionBlockId}:${identifier}`;
}

/**
 * Whether the platform may set the property.
 *
 * @example model.properties.filter(isWritable) // what `thing.service.property.set` takes
 */
export function isWritable(property: Property): boolean {
  return property.accessMode !== "r";
}

/**
 * Alink method of an event's report [alibaba-device 5.5].
 *
 * @example eventMethod("Battery:low") // "thing.event.Battery:low.post"
 */
export function eventMethod(wireName: string): string {
  return `thing.event.${wireName}.post`;
}

/**
 * Alink method of a service call [alibaba-device 5.6].
 *
 * @example serviceMethod("SetWeight") // "thing.service.SetWeight"
 */
export function serviceMethod(wireName: string): string {
  return `thing.service.${wireName}`;
}

/** Sets a member of a plain object; the one name that JavaScript treats specially is a name like any other here. */
export function setMember<T>(target: Record<string, T>, name: string, value: T): void {
  if (name === "__proto__") Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });
  else target[name] = value;
}

/** Bytes of a text in UTF-8. */
export function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    bytes += unit < 0x800 ? 1 : 2;
    // The two halves of a pair make four bytes together; a lone half is written as the replacement character, three bytes.
    if (unit >= 0xd800 && unit < 0xdc00 && i + 1 < text.length) {
      const next = text.charCodeAt(i + 1);
      if (next >= 0xdc00 && next < 0xe000) i++;
    }
  }
  return bytes;
}
