import {
  AttributeKind,
  AuditEntries,
  CreateOperation,
  DeadLetteredMessageDetails,
  DeadLetteredMessages,
  Distinctions,
  ErrorGroupChange,
  ErrorGroupDetails,
  ErrorGroups,
  Facets,
  Filter,
  Histogram,
  IncidentDetails,
  Incidents,
  Me,
  Operation,
  OperationDetails,
  OperationItems,
  Operations,
  Ownership,
  Plan,
  Preview,
  RunPlan,
  ServiceOverview,
  ShiftLog,
  SquadOverview,
} from '@dead-letter/backstage-plugin-dead-letter-common';
import { createApiRef } from '@backstage/frontend-plugin-api';
import { Environment } from './environments';

/**
 * Which page of a search.
 * @public
 */
export interface PageRequest {
  /** 1 to 200; 50 by default. */
  limit?: number;
  cursor?: string;
  order?: 'newest' | 'oldest';
}

/**
 * Which operations are listed, and which page of them.
 * @public
 */
export interface OperationsRequest {
  limit?: number;
  cursor?: string;
  /** Those on dead letters of this service. */
  service?: string;
  /** Those on dead letters of the services of this squad. */
  squad?: string;
  /** Those in one of these states, separated by commas. */
  state?: string;
  /** Those that redeliver, delete or restore. */
  kind?: string;
  /** Those on dead letters of this error group. */
  errorGroup?: string;
  /** Those of whoever has this text in the name. */
  requestedBy?: string;
  /** Those that had not ended before this time. */
  from?: string;
  /** Those that were asked for before this time. */
  to?: string;
}

/**
 * Which time a shift log is of, and whose.
 * @public
 */
export interface ShiftLogRequest {
  since: string;
  until?: string;
  squad?: string;
  service?: string;
  /** Of the times in Markdown, such as `+01:00`. */
  offset?: string;
}

/**
 * Which incidents are listed, and which page of them.
 * @public
 */
export interface IncidentsRequest {
  limit?: number;
  cursor?: string;
  /** Those that go on, or those that are over. */
  state?: 'open' | 'resolved';
  /** Those about a service of this squad. */
  squad?: string;
  /** Those about this service. */
  service?: string;
}

/**
 * Which entries of the audit are listed, and which page of them.
 * @public
 */
export interface AuditRequest {
  limit?: number;
  cursor?: string;
  action?: string;
  service?: string;
  /** Id of a caller. */
  actor?: string;
}

/**
 * By what a histogram tells deaths apart.
 * @public
 */
export type HistogramBy = 'service' | 'errorGroup' | 'reason';

/**
 * One installation of dead-letter. Every method rejects with an error of `@backstage/errors`, or with a `TypeError` where
 * nothing answers.
 * @public
 */
export interface DeadLetterClient {
  /** Who asks, and what dead-letter allows. */
  me(signal?: AbortSignal): Promise<Me>;
  search(
    filter: Filter,
    page?: PageRequest,
    signal?: AbortSignal,
  ): Promise<DeadLetteredMessages>;
  message(
    id: string,
    signal?: AbortSignal,
  ): Promise<DeadLetteredMessageDetails>;
  /** The exact bytes. */
  body(id: string): Promise<Blob>;
  squads(signal?: AbortSignal): Promise<SquadOverview[]>;
  /** Where squads come from. */
  ownership(signal?: AbortSignal): Promise<Ownership>;
  /** Of one squad, or all. */
  services(squad?: string, signal?: AbortSignal): Promise<ServiceOverview[]>;
  errorGroups(
    filter: Filter,
    limit?: number,
    signal?: AbortSignal,
    /** Those of this person or squad; `me` and `none` are known. */
    assignee?: string,
  ): Promise<ErrorGroups>;
  /** With what people did with it. */
  errorGroup(id: string, signal?: AbortSignal): Promise<ErrorGroupDetails>;
  changeErrorGroup(
    id: string,
    change: ErrorGroupChange,
  ): Promise<ErrorGroupDetails>;
  /** What sets its dead letters apart from the others of the same service. */
  distinctions(id: string, signal?: AbortSignal): Promise<Distinctions>;
  /** What the dead letters of a filter are made of. */
  facets(
    filter: Filter,
    options?: { by?: AttributeKind[]; limit?: number },
    signal?: AbortSignal,
  ): Promise<Facets>;
  /** The interval fits the time by default. */
  histogram(
    filter: Filter,
    options?: { interval?: string; by?: HistogramBy },
    signal?: AbortSignal,
  ): Promise<Histogram>;
  /** Freezes a selection; nothing is done yet. */
  plan(request: CreateOperation, signal?: AbortSignal): Promise<Plan>;
  /** The first messages of a redelivery, before and after; nothing is sent. */
  preview(request: CreateOperation, signal?: AbortSignal): Promise<Preview>;
  run(plan: RunPlan): Promise<Operation>;
  shiftLog(request: ShiftLogRequest, signal?: AbortSignal): Promise<ShiftLog>;
  /** Brings back what that operation deleted. */
  undoDelete(operationId: string, note?: string): Promise<Operation>;
  operations(
    request?: OperationsRequest,
    signal?: AbortSignal,
  ): Promise<Operations>;
  operation(id: string, signal?: AbortSignal): Promise<OperationDetails>;
  operationItems(
    id: string,
    options?: { outcome?: string; limit?: number; cursor?: string },
    signal?: AbortSignal,
  ): Promise<OperationItems>;
  steer(
    id: string,
    action: 'pause' | 'resume' | 'cancel',
  ): Promise<OperationDetails>;
  /** Messages a second from now on; null for as many as go. */
  changeRate(id: string, rate: number | null): Promise<OperationDetails>;
  /** What squads were told. */
  incidents(
    request?: IncidentsRequest,
    signal?: AbortSignal,
  ): Promise<Incidents>;
  /** With what became of its notifications. */
  incident(id: string, signal?: AbortSignal): Promise<IncidentDetails>;
  /** Tries whether the notifications of a squad arrive. */
  testNotification(squad: string): Promise<IncidentDetails>;
  /** Who did what. */
  audit(request?: AuditRequest, signal?: AbortSignal): Promise<AuditEntries>;
}

/**
 * The installations of dead-letter that this Backstage knows.
 * @public
 */
export interface DeadLetterApi {
  /** As configured; empty where nothing is. */
  environments: Environment[];
  at(environment: Environment): DeadLetterClient;
}

/** @public */
export const deadLetterApiRef = createApiRef<DeadLetterApi>().with({
  id: 'plugin.dead-letter.api',
  pluginId: 'dead-letter',
});
