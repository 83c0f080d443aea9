/** Every limit of a thing model [alibaba-device 5.10; alibaba-server 6]. The vendor's older, smaller values are in the comments. */
export interface ThingModelLimits {
  /** Size of the TSL text in UTF-8 (older: 256 KB). */
  modelBytesMax: number;
  /** Nesting of the JSON, members we do not know included. */
  modelDepthMax: number;
  /** Properties, events and services of one module together, without the generated ones. */
  functionsMax: number;
  /** Modules that one default module lists. */
  modulesMax: number;
  /** Characters of an identifier, the module's prefix not counted. */
  identifierCharactersMax: number;
  /** Characters of a name. Longer ones are kept and warned about. */
  nameCharactersMax: number;
  /** Characters of a description. Longer ones are kept and warned about. */
  descriptionCharactersMax: number;
  /** Characters of a module's identifier. */
  blockIdCharactersMax: number;
  /** Characters of a model's version. */
  versionCharactersMax: number;
  /** Members of a struct. */
  structMembersMax: number;
  /** Items of an enum. */
  enumItemsMax: number;
  /** Elements of an array (older: 128). */
  arrayElementsMax: number;
  /** Bytes of a text value in UTF-8. */
  textBytesMax: number;
  /** Input parameters, and output parameters, of one service (older: 20). */
  serviceParametersMax: number;
  /** Output parameters of one event (older: 50). */
  eventParametersMax: number;
  /** Problems that one inspection collects before it stops. */
  problemsMax: number;
}

/** The vendor's limits of today; the platform's configuration may change each by itself. */
export const defaultThingModelLimits: Readonly<ThingModelLimits> = {
  modelBytesMax: 512 * 1024,
  modelDepthMax: 16,
  functionsMax: 300,
  modulesMax: 200,
  identifierCharactersMax: 50,
  nameCharactersMax: 30,
  descriptionCharactersMax: 100,
  blockIdCharactersMax: 30,
  versionCharactersMax: 16,
  structMembersMax: 50,
  enumItemsMax: 100,
  arrayElementsMax: 512,
  textBytesMax: 10_240,
  serviceParametersMax: 100,
  eventParametersMax: 100,
  problemsMax: 100,
};

/** Every limit of one message that a validator checks [alibaba-device 5.2, 5.8, 5.11]. */
export interface ValidatorLimits {
  /** Properties of one report, pack or batch: 6106. */
  propertiesMax: number;
  /** Events of one pack or batch: 6356. The vendor's pages say 20 and 200. */
  eventsMax: number;
  /** Values in one list of a batch, and entries of one history list: 6104. */
  listItemsMax: number;
}

/** What the vendor allows; of two numbers the larger one. */
export const defaultValidatorLimits: Readonly<ValidatorLimits> = { propertiesMax: 200, eventsMax: 200, listItemsMax: 200 };
