/** Tables of fleet jobs as kysely sees them. */
import type { Generated } from "kysely";

interface FleetJobTable {
  id: Generated<number>;
  job_id: string;
  selection: string;
  status: string;
  /** JSON, as `parameters` and `settings`. */
  targets: string;
  document: string;
  parameters: string;
  settings: string;
  starts_at: number | null;
  ends_at: number | null;
  end_behavior: string | null;
  is_expanded: 0 | 1;
  is_force_canceled: 0 | 1;
  reason_code: string | null;
  comment: string | null;
  created_at: number;
  modified_at: number;
  completed_at: number | null;
}

interface FleetJobWaitingTable {
  id: Generated<number>;
  job_id: string;
  thing_name: string;
}

interface FleetJobExecutionTable {
  id: Generated<number>;
  job_id: string;
  thing_name: string;
  execution_number: number;
  is_latest: 0 | 1;
  retry_attempt: number;
  status: string;
  /** JSON. */
  status_details: string;
  queued_at: number;
  started_at: number | null;
  updated_at: number;
  version_number: number;
  is_force_canceled: 0 | 1;
  job_deadline_at: number | null;
  step_deadline_at: number | null;
  deadline_at: number | null;
}

export interface FleetJobSchema {
  fleet_jobs: FleetJobTable;
  fleet_job_waiting: FleetJobWaitingTable;
  fleet_job_executions: FleetJobExecutionTable;
  fleet_job_counts: { job_id: string; status: string; executions: number };
}
