/**
 * Which addresses a webhook may reach. Rules are written by people with rights on the platform, not on its network: a
 * rule must not become a way into the machine or the house it stands in.
 */
import { BlockList, isIP } from "node:net";

interface AddressPolicySettings {
  /** Host names, addresses and CIDRs (`127.0.0.1`, `10.0.0.0/8`, `hooks.example.com`) that may be called although not public. */
  webhookAllow: readonly string[];
}

export interface AddressPolicy {
  /** `host` as in the URL (no square brackets), `address` as it is to be connected. */
  isAllowed(host: string, address: string): boolean;
}

type Ranges = Readonly<Record<"ipv4" | "ipv6", readonly string[]>>;

/** Never, whatever the settings: this host, link-local with the clouds' metadata services, multicast, reserved, disguised IPv4. */
const neverReached: Ranges = {
  ipv4: ["0.0.0.0/8", "100.100.100.200/32", "169.254.0.0/16", "192.0.0.192/32", "224.0.0.0/4", "240.0.0.0/4"],
  ipv6: ["::/128", "::ffff:0:0/96", "fd00:ec2::254/128", "fe80::/10", "ff00::/8"],
};

/** Only when allowed: loopback, private, shared, documentation and benchmark networks, and IPv6 forms that carry an IPv4 address. */
const notPublic: Ranges = {
  ipv4: [
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
  ],
  ipv6: ["::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/32", "2001:db8::/32", "2002::/16", "fc00::/7", "fec0::/10"],
};

/** Families apart: BlockList would match an IPv4 address against `::ffff:0:0/96`. */
type AddressSet = Record<"ipv4" | "ipv6", BlockList>;

function familyOf(address: string): "ipv4" | "ipv6" {
  return isIP(address) === 6 ? "ipv6" : "ipv4";
}

function addRange(set: AddressSet, range: string): void {
  const [address = "", prefix] = range.split("/");
  const family = familyOf(address);
  set[family].addSubnet(address, prefix === undefined ? (family === "ipv4" ? 32 : 128) : Number(prefix), family);
}

function addressSet(ranges: readonly string[]): AddressSet {
  const set: AddressSet = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const range of ranges) addRange(set, range);
  return set;
}

const never = addressSet([...neverReached.ipv4, ...neverReached.ipv6]);
const closed = addressSet([...notPublic.ipv4, ...notPublic.ipv6]);

function isIn(set: AddressSet, address: string): boolean {
  const family = familyOf(address);
  return set[family].check(address, family);
}

/**
 * @throws RangeError naming the first entry of `webhookAllow` that is neither host name, address nor CIDR
 */
export function createAddressPolicy({ webhookAllow }: AddressPolicySettings): AddressPolicy {
  const names = new Set<string>();
  const ranges: string[] = [];
  for (const entry of webhookAllow) {
    const [address = "", prefix, ...rest] = entry.split("/");
    const version = isIP(address);
    const bitsMax = version === 4 ? 32 : 128;
    if (version !== 0 && rest.length === 0 && (prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bitsMax))) {
      ranges.push(entry);
    } else if (version === 0 && /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?$/i.test(entry)) {
      names.add(hostKey(entry));
    } else {
      throw new RangeError(`webhookAllow: ${entry} is neither a host name, an address nor a CIDR such as 10.0.0.0/8`);
    }
  }
  const allowed = addressSet(ranges);
  return {
    isAllowed(host, rawAddress) {
      // A scope id (fe80::1%eth0) only occurs on link-local addresses, which are refused anyway.
      const address = rawAddress.split("%")[0] ?? "";
      if (isIP(address) === 0 || isIn(never, address)) return false;
      return !isIn(closed, address) || isIn(allowed, address) || names.has(hostKey(host));
    },
  };
}

function hostKey(host: string): string {
  return host.toLowerCase().replace(/\.$/, "");
}

/** True for a host that is an address itself and needs no name server: it can be judged before anything is sent. */
export function isAddress(host: string): boolean {
  return isIP(host) !== 0;
}

/** `[::1]` as URLs write it -> `::1`. */
export function bareHost(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, "$1");
}
