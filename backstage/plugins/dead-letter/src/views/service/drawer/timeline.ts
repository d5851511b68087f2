import {
  DeadLetteredMessage,
  MessageHistory,
} from '@dead-letter/backstage-plugin-dead-letter-common';

type Operation = MessageHistory['operations'][number];

/** Something that happened to a message. */
export type Happening = { at: string } & (
  | { death: DeadLetteredMessage; operation?: undefined }
  | { operation: Operation; death?: undefined }
);

/** Deaths, and what was done about them, first one first. */
export function timeline({ deaths, operations }: MessageHistory): Happening[] {
  const happenings: Happening[] = [
    ...deaths.map(death => ({ at: death.diedAt ?? death.receivedAt, death })),
    ...operations.map(operation => ({ at: operation.requestedAt, operation })),
  ];
  // Sorting keeps the order of what was at the same time: a death comes before what was done about it.
  return happenings.sort(
    (one, other) => Date.parse(one.at) - Date.parse(other.at),
  );
}
