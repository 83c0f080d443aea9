/** Product a1HETlEuvri, version 1.0. Generated from the thing model: change the model, not this file. */
export interface Lamp {
  /** What the device is: the values it reports. */
  properties: {
    /** switch. 0 = off, 1 = on */
    LightSwitch: 0 | 1;
    /** Level. int 0..100 */
    Level: number;
    /** Hours. int 0..100 */
    Hours: number;
  };
  /** The properties that can be set. */
  writable: "LightSwitch" | "Level";
  /** What the device tells of: the parameters of its events. */
  events: {
    /** Alarm (alert) */
    alarm: {
      /** code. int 0..100 */
      code: number;
    };
  };
  /** What the device can be asked to do. */
  services: {
    /** blink */
    blink: {
      callType: "async";
      input: {
        /** seconds. int 0..100 */
        seconds: number;
      };
      output: {
        /** times. int 0..100 */
        times: number;
      };
    };
    /** measure */
    measure: {
      callType: "sync";
      input: Record<string, never>;
      output: {
        /** result. int 0..100 */
        result: number;
      };
    };
  };
}
