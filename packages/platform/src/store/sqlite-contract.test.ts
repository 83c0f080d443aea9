import { describeDeviceServiceStores } from "./contract/device-service-stores.ts";
import { describeFleetJobStore } from "./contract/fleet-job-store.ts";
import { describeFleetStore } from "./contract/fleet-store.ts";
import { describeNamedShadowStore } from "./contract/named-shadow-store.ts";
import { describeOtaStore } from "./contract/ota-store.ts";
import { describeOtherStores } from "./contract/other-stores.ts";
import { describeRegistryAdditions } from "./contract/registry-additions.ts";
import { describeRegistryStore } from "./contract/registry-store.ts";
import { describeScriptStore } from "./contract/script-store.ts";
import { describeThingModelStore } from "./contract/thing-model-store.ts";
import { openStore } from "./index.ts";

const openInMemory = () => openStore({ dataDir: ":memory:", masterKey: Buffer.alloc(32, 7), limits: { trimEntriesMax: 3 } });

describeRegistryStore("sqlite", async () => {
  const store = await openInMemory();
  return { store: store.registry, close: store.close };
});
describeRegistryAdditions("sqlite", openInMemory);
describeOtherStores("sqlite", openInMemory);
describeScriptStore("sqlite", openInMemory);
describeThingModelStore("sqlite", openInMemory);
describeOtaStore("sqlite", openInMemory);
describeDeviceServiceStores("sqlite", openInMemory);
describeFleetStore("sqlite", openInMemory);
describeNamedShadowStore("sqlite", openInMemory);
describeFleetJobStore("sqlite", openInMemory);
