import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Cell, ColumnConfig, Table, Text } from '@backstage/ui';
import {
  DeadLetteredMessage,
  DeadLetteredMessages,
} from '@dead-letter/backstage-plugin-dead-letter-common';
import { useMemo } from 'react';
import { Button as Open } from 'react-aria-components';
import { DiedAgain } from '../../components/DiedAgain';
import { TabLink } from '../../components/TabLink';
import { PlainTime } from '../../components/Time';
import { useReadable } from '../../hooks/useReadable';
import { PlaceOf, useServiceTabs } from '../../hooks/useTabs';
import { deadLetterTranslationRef } from '../../translation';
import { Pager } from '../operations/OutcomeList';
import { useCursors } from '../operations/useCursors';
import { StatusBadge } from '../service/drawer/StatusBadge';
import styles from '../service/service.module.css';

interface FoundProps {
  text: string;
  page: DeadLetteredMessages;
  pages: ReturnType<typeof useCursors>;
  onOpen: (id: string) => void;
}

/** What was found, of the services that whoever looks may see. */
export function Found({ text, page, pages, onOpen }: FoundProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const services = [...new Set(page.messages.map(each => each.service))];
  const placeOf = useServiceTabs(services);
  const mayRead = useReadable(
    services.flatMap(each => placeOf(each)?.resourceRef ?? []),
  );
  const shown = page.messages.filter(each => {
    const place = placeOf(each.service);
    return place && mayRead(place.resourceRef);
  });
  const hidden = page.messages.filter(each => {
    const place = placeOf(each.service);
    return place && mayRead(place.resourceRef) === false;
  }).length;
  const columns = useColumns(placeOf, onOpen);
  const { value: count, relation } = page.total;
  return (
    <>
      <Text as="h2" variant="title-small" role="status">
        {relation === 'eq'
          ? t('search.found', { count, text })
          : t('search.foundAtLeast', { count, text })}
      </Text>
      <By found={page.foundAs ?? []} />
      <Table
        columnConfig={columns}
        data={shown}
        pagination={{ type: 'none' }}
        rowConfig={{ onClick: message => onOpen(message.id) }}
      />
      {hidden > 0 && (
        <Text as="p" color="secondary">
          {t('search.hidden', { count: hidden })}
        </Text>
      )}
      <Pager pages={pages} next={page.nextCursor} />
    </>
  );
}

type FoundAs = 'deadLetterId' | 'messageId' | 'correlationId' | 'text';

/** As which id it was found. A text that is an id is not looked for in bodies. */
function By({ found }: { found: string[] }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  if (found.length === 0 || found.includes('text')) return null;
  const kinds = found.map(each => t(`search.kind.${each as FoundAs}`));
  return (
    <Text as="p" color="secondary">
      {t('search.by', { kinds: kinds.join(', ') })}
    </Text>
  );
}

function useColumns(
  placeOf: PlaceOf,
  onOpen: (id: string) => void,
): ColumnConfig<DeadLetteredMessage>[] {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  return useMemo(
    () => [
      {
        id: 'timestamp',
        label: t('service.timestamp'),
        width: 150,
        cell: message => (
          <Cell>
            <PlainTime at={message.receivedAt} />
          </Cell>
        ),
      },
      {
        id: 'service',
        label: t('search.service'),
        minWidth: 120,
        width: '1fr',
        cell: message => (
          <Cell>
            <TabLink
              to={placeOf(message.service)}
              hint={t('search.noComponent')}
            >
              {message.service}
            </TabLink>
          </Cell>
        ),
      },
      {
        id: 'error',
        label: t('service.errorColumn'),
        isRowHeader: true,
        minWidth: 220,
        width: '2fr',
        cell: message => (
          <Cell>
            <Open className={styles.open} onPress={() => onOpen(message.id)}>
              <b>{message.errorType ?? message.reason}</b>{' '}
              {message.errorMessage}
            </Open>
            <DiedAgain message={message} />
          </Cell>
        ),
      },
      {
        id: 'status',
        label: t('search.status'),
        width: 130,
        cell: message => (
          <Cell>
            <StatusBadge status={message.status} />
          </Cell>
        ),
      },
      ...(['messageId', 'correlationId'] as const).map(name => ({
        id: name,
        label: t(`service.${name}`),
        minWidth: 120,
        width: '1fr' as const,
        cell: (message: DeadLetteredMessage) => (
          <Cell>
            <div className={styles.value}>
              <span title={message[name] ?? undefined}>
                {message[name] ?? '–'}
              </span>
            </div>
          </Cell>
        ),
      })),
    ],
    [t, placeOf, onOpen],
  );
}
