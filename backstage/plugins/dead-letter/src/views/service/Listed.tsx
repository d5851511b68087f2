import {
  CountedGroup,
  DeadLetteredMessages,
  Filter,
} from '@dead-letter/backstage-plugin-dead-letter-common';
import { useMemo } from 'react';
import { Selection } from '../acting';
import { Left } from './Left';
import { MessageTable } from './MessageTable';
import { Nothing } from './Nothing';
import { SelectionBar } from './SelectionBar';
import { after } from './useArrivals';
import { Filtered } from './useFilter';
import { useNoted } from './useGroups';
import { useLeft } from './useLeft';
import { useSelection } from './useSelection';

/** A page of dead letters as it was answered. */
export interface Page {
  data: DeadLetteredMessages;
  /** When it was. */
  at: number;
  /** Whether it is of another question, and this one's answer is awaited. */
  isStale: boolean;
}

interface ListedProps {
  service: string;
  resourceRef: string;
  filter: Filter;
  filtered: Filtered;
  /** Error groups of the service. */
  groups: CountedGroup[];
  page: Page;
  /** When the newest arrived of those that were there. */
  since: string | undefined;
  /** Whether an operation is at work with these. */
  isMoving: boolean;
  onOpen: (id: string) => void;
  /** They are to be asked for again. */
  onChanged: () => void;
}

/** A page of dead letters, what has become of it since, and what can be done with it. */
export function Listed(props: ListedProps) {
  const { service, resourceRef, filter, filtered, page, onOpen, onChanged } =
    props;
  const { view, change } = filtered;
  const { messages } = page.data;
  const before = latestOf(props.since, messages[0]?.receivedAt);
  const left = useLeft({ ...props, view, before });
  const ids = useMemo(
    () => messages.map(each => each.id).filter(id => !left.gone.has(id)),
    [messages, left.gone],
  );
  const actsOn = actedOn(view.conditions.status);
  const noted = useNoted(props.groups);
  const { gone } = left;
  const common = useMemo(
    () => ({ gone, noted, onOpen }),
    [gone, noted, onOpen],
  );
  const chosen = useSelection(filter, ids, left.gone, actsOn);
  return (
    <>
      <SelectionBar
        chosen={chosen}
        total={left.total}
        before={before}
        actsOn={actsOn}
        service={service}
        resourceRef={resourceRef}
        onChanged={onChanged}
      />
      <Left count={left.count} onRefresh={onChanged} />
      {messages.length === 0 ? (
        <Nothing service={service} filtered={filtered} />
      ) : (
        <MessageTable
          page={page.data}
          common={common}
          isStale={page.isStale}
          view={view}
          chosen={actsOn && chosen}
          onTurn={(next, first) =>
            change({ cursor: next, first: String(first) })
          }
          onLimit={next => change({ limit: String(next) })}
        />
      )}
    </>
  );
}

/** What can be acted on where this status is listed. */
function actedOn(status = 'dead'): Selection['status'] {
  return status === 'dead' || status === 'redelivered' || status === 'deleted'
    ? status
    : undefined;
}

/** The first instant after the later one of these. */
function latestOf(...times: (string | undefined)[]): string | undefined {
  const known = times.filter(time => time !== undefined);
  if (known.length === 0) return undefined;
  return after(
    known.reduce((one, other) =>
      Date.parse(one) > Date.parse(other) ? one : other,
    ),
  );
}
