import fc from "fast-check";
import { expect, test } from "vitest";
import { createMemoryStorage } from "./ports/storage.ts";
import { createBenchModem } from "./testing/bench-modem.ts";

test("[ESP-AT 1.3] the bytes of each kind of answer", async () => {
  const { ask, said, modem, clock } = createBenchModem({ echoes: true });
  modem.reset();
  expect(said()).toBe("\r\nready\r\n");
  expect(await ask("AT")).toBe("AT\r\n\r\nOK\r\n");
  expect(await ask("ATE0")).toBe("ATE0\r\n\r\nOK\r\n");
  expect(await ask("AT+CWMODE?")).toBe("+CWMODE:1\r\n\r\nOK\r\n");
  expect(await ask("AT+SYSTIMESTAMP?")).toBe("+SYSTIMESTAMP:0\r\nOK\r\n");
  expect(await ask("?")).toBe("\r\nERROR\r\n");
  expect(await ask('AT+MQTTUSERCFG=0,1,"","","",0,0,""')).toBe("\r\nOK\r\n");
  expect(await ask("AT+MQTTLONGCLIENTID=0,3")).toBe("\r\nOK\r\n\r\n>");
  modem.write(Buffer.from("\r\n1"));
  await clock.pass(0);
  expect(await ask("AT")).toBe("\r\nOK\r\n\r\nOK\r\n");
});

test.each([
  ["at", "03", "0000"],
  ["AT+FAKE", "09", "0000"],
  ["AT+CWMODE ", "09", "0000"],
  ["AT+CWMODE", "0c", "0000"],
  ["AT+CWMODE=?", "0c", "0000"],
  ["AT+CWMODE=1,0,0", "06", "0103"],
  ['AT+CWMODE="1"', "05", "0000"],
  ["AT+CWMODE=4", "07", "0000"],
  ["AT+CWMODE=x", "08", "0000"],
  [`AT+CWHOSTNAME="${"x".repeat(33)}"`, "04", "0000"],
])("[ESP-AT 1.4] %s fails with category %s", async (line, category, extension) => {
  const { ask, lines } = createBenchModem();
  await ask("AT+SYSLOG=1");
  expect(await lines(line)).toEqual([`ERR CODE:0x01${category}${extension}`, "ERROR"]);
});

test("[ESP-AT 1.4] busy shows its code, too", async () => {
  const { ask, type, said, clock } = createBenchModem();
  await ask("AT+SYSLOG=1");
  type("AT+CWLAP\r\nAT\r\n");
  expect(said()).toBe("ERR CODE:0x010b0000\r\n\r\nbusy p...\r\n");
  await clock.pass(10_000);
  expect(said()).toBe("\r\nOK\r\n");
});

test.each([
  ["AT+MQTTPUB=0", "6008"],
  ['AT+MQTTUSERCFG=1,1,"","","",0,0,""', "6011"],
  ['AT+MQTTUSERCFG=0,11,"","","",0,0,""', "6013"],
  [`AT+MQTTUSERCFG=0,1,"","${"u".repeat(65)}","",0,0,""`, "6019"],
  ['AT+MQTTUSERCFG=0,1,"","","",1,0,""', "601e"],
  ['AT+MQTTCONNCFG=0,7201,0,"","",0,0', "602d"],
  ['AT+MQTTCONNCFG=0,60,0,"","",0,0', "6001"],
  ['AT+MQTTCONN=0,"host",0,1', "603e"],
  ['AT+MQTTCONN=0,"host",1883,1', "6001"],
  ['AT+MQTTPUB=0,"t","x",3,0', "6048"],
  ['AT+MQTTPUB=0,"","x",1,0', "6042"],
  ['AT+MQTTPUBRAW=0,"t",0,1,0', "604c"],
  ['AT+MQTTSUB=0,"t",1', "6006"],
  ['AT+MQTTUNSUB=0,"t"', "6006"],
  ["AT+MQTTCLEAN=0", "6003"],
  ['AT+MQTTSNI=0,"name"', "6001"],
  ['AT+MQTTALPN=0,1,"mqtt"', "6001"],
  ['AT+MQTTCLIENTID=0,"id"', "6001"],
  ['AT+MQTTUSERNAME=0,"id"', "6001"],
  ['AT+MQTTPASSWORD=0,"id"', "6001"],
  ["AT+MQTTLONGUSERNAME=0,5", "6001"],
  ["AT+MQTTLONGPASSWORD=0,1025", "604d"],
])("[ESP-AT 2.13] %s fails with 0x%s", async (line, extension) => {
  const { ask, lines } = createBenchModem();
  await ask("AT+SYSLOG=1");
  expect(await lines(line)).toEqual([extension === "6008" ? "ERR CODE:0x01060501" : `ERR CODE:0x010a${extension}`, "ERROR"]);
});

/** What is set is read back; a pair of commands and the line that the second answers. */
test.each([
  ["AT+CWMODE=3,0", "AT+CWMODE?", "+CWMODE:3"],
  ["AT+SLEEP=2", "AT+SLEEP?", "+SLEEP:2"],
  ["AT+SYSMSG=5", "AT+SYSMSG?", "+SYSMSG:5"],
  ["AT+SYSSTORE=0", "AT+SYSSTORE?", "+SYSSTORE:0"],
  ["AT+SYSLOG=1", "AT+SYSLOG?", "+SYSLOG:1"],
  ["AT+RFPOWER=40", "AT+RFPOWER?", "+RFPOWER:40,0,0,0"],
  ["AT+UART=9600,8,1,0,0", "AT+UART?", "+UART:9600,8,1,0,0"],
  ["AT+UART_CUR=921600,8,1,0,3", "AT+UART_CUR?", "+UART_CUR:921600,8,1,0,3"],
  ["AT+UART_DEF=9600,7,2,1,0", "AT+UART_DEF?", "+UART_DEF:9600,7,2,1,0"],
  ["AT+SYSTIMESTAMP=1635000000", "AT+SYSTIMESTAMP?", "+SYSTIMESTAMP:1635000000"],
  ["AT+CWINIT=0", "AT+CWINIT?", "+CWINIT:0"],
  ["AT+CWRECONNCFG=30,5", "AT+CWRECONNCFG?", "+CWRECONNCFG:30,5"],
  ["AT+CWAUTOCONN=0", "AT+CWAUTOCONN?", "+CWAUTOCONN:0"],
  ["AT+CWDHCP=0,1", "AT+CWDHCP?", "+CWDHCP:2"],
  ['AT+CIPSTAMAC="24:0A:C4:09:08:07"', "AT+CIPSTAMAC?", '+CIPSTAMAC:"24:0a:c4:09:08:07"'],
  ['AT+CWHOSTNAME="lamp"', "AT+CWHOSTNAME?", "+CWHOSTNAME:lamp"],
  ["AT+CIPSNTPCFG=0,530", "AT+CIPSNTPCFG?", "+CIPSNTPCFG:0,530"],
  ["AT+CIPSNTPINTV=60", "AT+CIPSNTPINTV?", "+CIPSNTPINTV:60"],
  ['AT+CIPDNS=1,"10.0.0.1"', "AT+CIPDNS?", '+CIPDNS:1,"10.0.0.1"'],
  ["AT+CIPV6=1", "AT+CIPV6?", "+CIPV6:1"],
  ["AT+CIPMUX=1", "AT+CIPMUX?", "+CIPMUX:1"],
  ["AT+CIPMODE=1", "AT+CIPMODE?", "+CIPMODE:1"],
  ["AT+CIPRECVTYPE=1", "AT+CIPRECVTYPE?", "+CIPRECVTYPE:1"],
  ["AT+CIPRECONNINTV=20", "AT+CIPRECONNINTV?", "+CIPRECONNINTV:20"],
  ["AT+CIPTCPOPT=-1,0", "AT+CIPSERVER?", "+CIPSERVER:0"],
  ["AT+CIPSSLCCONF=2,0,1", "AT+CIPSSLCCONF?", "+CIPSSLCCONF:0,2,0,1"],
  ['AT+CIPSSLCSNI="a"', "AT+CIPSSLCSNI?", '+CIPSSLCSNI:0,"a"'],
  ['AT+CIPSSLCCN="a"', "AT+CIPSSLCCN?", '+CIPSSLCCN:0,"a"'],
  ['AT+CIPSSLCALPN=2,"a","b"', "AT+CIPSSLCALPN?", '+CIPSSLCALPN:0,"a","b"'],
  ["AT+HTTPCFG=3,1,0", "AT+HTTPCFG?", "+HTTPCFG:3,1,0"],
  ['AT+MQTTUSERCFG=0,6,"id","u","p",0,0,"ws"', "AT+MQTTUSERCFG?", '+MQTTUSERCFG:0,6,"id","u","p",0,0,"ws"'],
  ["AT+USERRAM=1,100", "AT+USERRAM?", "+USERRAM:100"],
  ["AT+CWLAPOPT=1,2047", "AT+CMD?", '+CMD:0,"AT",0,0,0,1'],
])("%s, then %s", async (set, query, expected) => {
  const { lines } = createBenchModem();
  expect((await lines(set)).at(-1)).toBe("OK");
  const answer = await lines(query);
  expect(answer[0]).toBe(expected);
  expect(answer.at(-1)).toBe("OK");
});

test("[ESP-AT 9] versions have what they had", async () => {
  const later = ["AT+SYSMFG?", 'AT+MQTTSNI=0,"x"', "AT+HTTPCFG?", "AT+CIPSTATE?", "AT+CIPRECVTYPE?", "AT+CIPSNTPINTV?", "AT+USERDOCS?"];
  const known = async (version: "v2.2" | "v3.2" | "v4.1") => {
    const { ask, lines } = createBenchModem({ version });
    await ask("AT+SYSLOG=1");
    const found: string[] = [];
    for (const line of later) if ((await lines(line))[0] !== "ERR CODE:0x01090000") found.push(line);
    return found;
  };
  expect(await known("v2.2")).toEqual([]);
  expect(await known("v3.2")).toEqual(["AT+SYSMFG?", "AT+CIPSTATE?", "AT+CIPSNTPINTV?", "AT+USERDOCS?"]);
  expect(await known("v4.1")).toEqual(later);
  const { lines } = createBenchModem({ version: "v2.2" });
  expect((await lines("AT+GMR"))[0]).toMatch(/^AT version:2\.2\..* - ESP32 - /);
  await lines('AT+MQTTUSERCFG=0,1,"","","",0,0,""');
  expect(await lines(`AT+MQTTCONNCFG=0,60,0,"t","${"m".repeat(65)}",0,0`)).toEqual(["ERROR"]);
});

test("[ESP-AT 6.1] the time: 1970 until a server told it, then with its zone, and again every interval", async () => {
  const { lines, clock, said } = createBenchModem();
  await clock.pass(128_000);
  expect(await lines("AT+CIPSNTPTIME?")).toEqual(["+CIPSNTPTIME:Thu Jan  1 00:02:08 1970", "OK"]);
  await lines('AT+CWJAP="a","b"');
  expect(await lines('AT+CIPSNTPCFG=1,8,"pool.ntp.org"')).toEqual(["OK", "+TIME_UPDATED"]);
  expect(await lines("AT+CIPSNTPTIME?")).toEqual(["+CIPSNTPTIME:Mon May 25 17:02:08 2026", "OK"]);
  expect((await lines("AT+CIPSNTPCFG?"))[0]).toBe('+CIPSNTPCFG:1,8,"pool.ntp.org"');
  await clock.pass(3_600_000);
  expect(said()).toBe("+TIME_UPDATED\r\n");
});

test("[ESP-AT 5] networks: scanned with a mask, joined, left, refused", async () => {
  const accessPoints = [
    { ssid: "lab", password: "secret-pass", bssid: "18:fe:34:00:00:01", channel: 6, rssiDbm: -62 },
    { ssid: "open, really", bssid: "18:fe:34:00:00:02", channel: 1, rssiDbm: -40 },
    { ssid: "deaf", bssid: "18:fe:34:00:00:03", channel: 1, rssiDbm: -90, failure: "timeout" as const },
  ];
  const { lines } = createBenchModem({ wifi: { accessPoints, acceptsAnyNetwork: false, joinMilliseconds: 100 } });
  expect(await lines("AT+CWSTATE?")).toEqual(['+CWSTATE:0,""', "OK"]);
  await lines("AT+CWLAPOPT=1,6,-80");
  expect(await lines("AT+CWLAP")).toEqual(['+CWLAP:("open, really",-40)', '+CWLAP:("lab",-62)', "OK"]);
  expect(await lines('AT+CWLAP="lab"')).toEqual(['+CWLAP:("lab",-62)', "OK"]);
  expect(await lines('AT+CWJAP="lab","wrong"')).toEqual(["+CWJAP:2", "ERROR"]);
  expect(await lines('AT+CWJAP="none","x"')).toEqual(["+CWJAP:3", "ERROR"]);
  expect(await lines('AT+CWJAP="deaf",""')).toEqual(["+CWJAP:1", "ERROR"]);
  expect(await lines('AT+CWJAP="open\\, really",""')).toEqual(["WIFI CONNECTED", "WIFI GOT IP", "OK"]);
  expect(await lines('AT+CWJAP="lab","secret-pass"')).toEqual(["WIFI DISCONNECT", "WIFI CONNECTED", "WIFI GOT IP", "OK"]);
  expect(await lines("AT+CWJAP?")).toEqual(['+CWJAP:"lab","18:fe:34:00:00:01",6,-62,0,1,3,0,1', "OK"]);
  expect(await lines("AT+CWSTATE?")).toEqual(['+CWSTATE:2,"lab"', "OK"]);
  expect(await lines("AT+CIFSR")).toEqual(['+CIFSR:STAIP,"192.168.1.100"', '+CIFSR:STAMAC,"24:0a:c4:00:00:01"', "OK"]);
  await lines('AT+CIPSTA="10.0.0.7"');
  expect((await lines("AT+CIPSTA?")).slice(0, 3)).toEqual([
    '+CIPSTA:ip:"10.0.0.7"',
    '+CIPSTA:gateway:"10.0.0.1"',
    '+CIPSTA:netmask:"255.255.255.0"',
  ]);
  expect(await lines("AT+CWQAP")).toEqual(["WIFI DISCONNECT", "OK"]);
  expect(await lines("AT+CWQAP")).toEqual(["OK"]);
  expect((await lines("AT+CWJAP")).at(-1)).toBe("OK");
  await lines("AT+CWMODE=0");
  expect(await lines('AT+CWJAP="lab","secret-pass"')).toEqual(["ERROR"]);
});

test("[ESP-AT 5] a network that falls silent is looked for as often as it was told", async () => {
  const { modem, lines, clock, said } = createBenchModem();
  await lines('AT+CWJAP="a","b"');
  await lines("AT+CWRECONNCFG=10,3");
  modem.loseWifi();
  expect(said()).toBe("WIFI DISCONNECT\r\n");
  await clock.pass(15_000);
  modem.findWifi();
  await clock.pass(15_000);
  expect(said()).toBe("WIFI CONNECTED\r\nWIFI GOT IP\r\n");
  modem.loseWifi();
  await clock.pass(60_000);
  modem.findWifi();
  await clock.pass(60_000);
  expect(said()).toBe("WIFI DISCONNECT\r\n");
});

test("[ESP-AT 3] AT+RST, AT+GSLP, AT+RESTORE: what is stored stays, what was not does not", async () => {
  const { lines, clock, said } = createBenchModem({ storage: createMemoryStorage() });
  expect(await lines('AT+CWJAP="a","b"')).toContain("OK");
  await lines("AT+SYSSTORE=0");
  await lines("AT+CWMODE=3");
  expect(await lines("AT+RST")).toEqual(["OK", "WIFI DISCONNECT", "ready", "WIFI CONNECTED", "WIFI GOT IP"]);
  await lines("ATE0");
  expect(await lines("AT+CWMODE?")).toEqual(["+CWMODE:1", "OK"]);
  expect(await lines("AT+GSLP=5000")).toEqual(["5000", "OK"]);
  await clock.pass(4_000);
  expect(await lines("AT")).toEqual([]);
  await clock.pass(2_000);
  expect(said()).toContain("ready");
  await lines("ATE0");
  await lines("AT+SYSSTORE=1");
  await lines("AT+RESTORE");
  await clock.pass(1_000);
  said();
  await lines("ATE0");
  expect(await lines("AT+CWSTATE?")).toEqual(['+CWSTATE:0,""', "OK"]);
});

test("[ESP-AT 4.1] AT+SYSMFG: numbers, text and bytes by namespace and key", async () => {
  const { lines, ask, type, said, clock } = createBenchModem();
  expect(await lines('AT+SYSMFG=2,"factory_param","uart_baudrate",5,115200')).toEqual(["OK"]);
  expect(await lines('AT+SYSMFG=2,"factory_param","level",1,256')).toEqual(["ERROR"]);
  expect(await ask('AT+SYSMFG=2,"mqtt_ca","mqtt_ca",8,4')).toBe("\r\nOK\r\n\r\n>");
  type('\0",\r');
  await clock.pass(0);
  expect(said()).toBe("\r\nOK\r\n");
  expect(await lines("AT+SYSMFG?")).toEqual(['+SYSMFG:"factory_param"', '+SYSMFG:"mqtt_ca"', "OK"]);
  expect(await lines('AT+SYSMFG=1,"mqtt_ca"')).toEqual(['+SYSMFG:"mqtt_ca","mqtt_ca",8', "OK"]);
  expect(await ask('AT+SYSMFG=1,"mqtt_ca","mqtt_ca"')).toBe('+SYSMFG:"mqtt_ca","mqtt_ca",8,4,\0",\r\r\n\r\nOK\r\n');
  expect((await lines('AT+SYSMFG=1,"factory_param","uart_baudrate"'))[0]).toBe('+SYSMFG:"factory_param","uart_baudrate",5,6,115200');
  expect((await lines('AT+SYSMFG=1,"factory_param","uart_baudrate",3,2'))[0]).toBe('+SYSMFG:"factory_param","uart_baudrate",5,2,20');
  expect(await lines('AT+SYSMFG=0,"mqtt_ca","mqtt_ca"')).toEqual(["OK"]);
  expect(await lines('AT+SYSMFG=0,"mqtt_ca"')).toEqual(["ERROR"]);
});

test("[ESP-AT 4.2] AT+SYSFLASH: partitions hold what was written over erased flash", async () => {
  const { lines, ask, type, said, clock } = createBenchModem({ version: "v2.2" });
  expect(await lines("AT+SYSFLASH?")).toContain('+SYSFLASH:"mqtt_ca",64,14,0x3b000,0x2000');
  expect(await lines('AT+SYSFLASH=0,"mqtt_ca"')).toEqual(["OK"]);
  await ask('AT+SYSFLASH=1,"mqtt_ca",4,3');
  type("abc");
  await clock.pass(0);
  expect(said()).toBe("\r\nOK\r\n");
  expect(await ask('AT+SYSFLASH=2,"mqtt_ca",3,5')).toBe("+SYSFLASH:5,\xffabc\xff\r\n\r\nOK\r\n");
  expect(await lines('AT+SYSFLASH=1,"mqtt_ca",8190,3')).toEqual(["ERROR"]);
  expect(await lines('AT+SYSFLASH=2,"none",0,1')).toEqual(["ERROR"]);
});

test("AT+USERRAM: memory of the host's own", async () => {
  const { lines, ask, type, said, clock } = createBenchModem();
  await lines("AT+USERRAM=1,8");
  await ask("AT+USERRAM=2,4,2");
  type("data");
  await clock.pass(0);
  said();
  expect(await ask("AT+USERRAM=3,6,1")).toBe("+USERRAM:6,\0data\0\r\n\r\nOK\r\n");
  expect(await lines("AT+USERRAM=4")).toEqual(["OK"]);
  expect(await lines("AT+USERRAM=2,4,5")).toEqual(["ERROR"]);
  expect(await lines("AT+USERRAM=0")).toEqual(["OK"]);
});

test("memory: what is free shrinks and comes back, and a host is told when it is too little", async () => {
  const { modem, lines } = createBenchModem();
  expect(await lines("AT+SYSRAM?")).toEqual(["+SYSRAM:148408,148408", "OK"]);
  modem.setHeap(20_000);
  expect(await lines("AT+SYSRAM?")).toEqual(["+SYSRAM:20000,20000", "OK"]);
  await lines('AT+CWJAP="a","b"');
  expect(await lines('AT+CIPSTART="SSL","host",443')).toEqual(["ERROR"]);
  expect(await lines("AT+SYSRAM?")).toEqual(["+SYSRAM:20000,20000", "OK"]);
});

test("any bytes, cut anywhere, leave a modem that answers; and the cuts change nothing", async () => {
  const words = [
    "AT",
    "+CWMODE",
    "+MQTTUSERCFG",
    "+SYSMFG",
    "+CIPSTART",
    "=",
    "?",
    ",",
    '"',
    "\\",
    "0",
    "1",
    "8",
    "x",
    "\r\n",
    "\r",
    "\n",
    "\0",
  ];
  const text = fc.array(fc.oneof(fc.constantFrom(...words), fc.string({ unit: "binary", maxLength: 3 })), { maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(text, fc.array(fc.integer({ min: 1, max: 7 }), { maxLength: 30 }), async (pieces, cuts) => {
      const bytes = Buffer.from(`${pieces.join("")}\r\n`);
      const play = async (steps: readonly number[]) => {
        const { modem, clock, said } = createBenchModem({
          log: (line) => expect(line).not.toMatch(/TypeError|RangeError|the command has no/),
        });
        let at = 0;
        for (const step of steps) {
          modem.write(bytes.subarray(at, at + step));
          at += step;
        }
        modem.write(bytes.subarray(at));
        await clock.pass(100_000);
        return { modem, clock, said };
      };
      const whole = await play([]);
      const cut = await play(cuts);
      expect(cut.said()).toBe(whole.said());
      whole.modem.reset();
      whole.said();
      whole.modem.write(Buffer.from("AT\r\n"));
      expect(whole.said()).toBe("\r\nOK\r\n");
    }),
  );
});
