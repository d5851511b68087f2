import {
  useAppSearchParams,
  useTranslationRef,
} from '@backstage/frontend-plugin-api';
import { Button, Flex, Skeleton, Tag, TagGroup, Text } from '@backstage/ui';
import {
  Operation,
  Operations,
} from '@dead-letter/backstage-plugin-dead-letter-common';
import { Answered } from '../../components/Answered';
import { Empty } from '../../components/Empty';
import { EnvironmentSelect } from '../../components/EnvironmentSelect';
import { PluginPage } from '../../components/PluginPage';
import { Row } from '../../components/Row';
import { useState } from 'react';
import { useAnswer } from '../../hooks/useDeadLetter';
import { useEnvironment } from '../../hooks/useEnvironment';
import { OPERATION_PARAMETER } from '../../hooks/useOperationPath';
import { deadLetterTranslationRef } from '../../translation';
import { isOver, isSettled } from './operation';
import { OperationCard } from './OperationCard';
import { OperationDrawer } from './OperationDrawer';
import {
  OPERATION_CONDITIONS,
  OperationConditions,
  OperationFilters,
  beginOf,
} from './OperationFilters';
import styles from './OperationsPage.module.css';
import { OperationsTable } from './OperationsTable';
import { Pager } from './OutcomeList';
import { sayId } from './say';
import { useCursors } from './useCursors';

const PAGE = 25;
/** Parameters in the address that say whose operations are listed. */
const OWNERS = ['service', 'squad', 'errorGroup'] as const;
/** How soon the list is asked for again: while any runs, and otherwise. */
const MOVING_MS = 1_500;
const QUIET_MS = 15_000;

/** What runs, and what ran: by whom, why, and with which outcome. */
export function OperationsPage() {
  return (
    <PluginPage view="operations">
      <InEnvironment />
    </PluginPage>
  );
}

/** A cursor is of one environment and one list: another one begins anew. */
function InEnvironment() {
  const { name } = useEnvironment();
  const [parameters] = useAppSearchParams();
  const owner = read(parameters, OWNERS);
  const conditions = read(parameters, OPERATION_CONDITIONS);
  return (
    <OwnersOperations
      key={`${name} ${JSON.stringify([owner, conditions])}`}
      owner={owner}
      conditions={conditions}
    />
  );
}

type Owner = Partial<Record<(typeof OWNERS)[number], string>>;

/** What the address says of these. */
function read<Name extends string>(
  parameters: URLSearchParams,
  names: readonly Name[],
): Partial<Record<Name, string>> {
  return Object.fromEntries(
    names.flatMap(each => {
      const value = parameters.get(each);
      return value ? [[each, value]] : [];
    }),
  ) as Partial<Record<Name, string>>;
}

interface OwnersOperationsProps {
  owner: Owner;
  conditions: OperationConditions;
}

function OwnersOperations({ owner, conditions }: OwnersOperationsProps) {
  const [parameters, setParameters] = useAppSearchParams();
  const pages = useCursors();
  const { since, ...others } = conditions;
  // The time does not go on from page to page: a cursor is of one list.
  const [from] = useState(() => beginOf(since));
  const request = { ...owner, ...others, from };
  const answer = useAnswer(
    ['operations', request, pages.cursor],
    (client, signal) =>
      client.operations(
        { ...request, limit: PAGE, cursor: pages.cursor },
        signal,
      ),
    {
      every: page =>
        page?.operations.some(each => !isSettled(each)) ? MOVING_MS : QUIET_MS,
    },
  );
  const opened = parameters.get(OPERATION_PARAMETER);
  const change = (changes: Record<string, string | undefined>) =>
    setParameters(before => {
      for (const [name, value] of Object.entries(changes)) {
        before.delete(name);
        if (value) before.set(name, value);
      }
      return before;
    });
  const open = (id: string | undefined) =>
    change({ [OPERATION_PARAMETER]: id });
  const isFiltered = Object.keys({ ...owner, ...conditions }).length > 0;
  return (
    <div className={styles.page}>
      <Row apart>
        <OwnerTags
          owner={owner}
          onRemove={name => change({ [name]: undefined })}
        />
        <EnvironmentSelect />
      </Row>
      <OperationFilters
        conditions={conditions}
        onChange={next =>
          change(
            Object.fromEntries(
              OPERATION_CONDITIONS.map(name => [name, next[name]]),
            ),
          )
        }
      />
      <Answered answer={answer} loading={<Loading />}>
        {page => (
          <Listed
            page={page}
            pages={pages}
            isFiltered={isFiltered}
            onOpen={open}
          />
        )}
      </Answered>
      {opened && (
        <OperationDrawer id={opened} onClose={() => open(undefined)} />
      )}
    </div>
  );
}

interface OwnerTagsProps {
  owner: Owner;
  onRemove: (name: string) => void;
}

/** Whose operations are listed, where they are not everybody's. */
function OwnerTags({ owner, onRemove }: OwnerTagsProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const given = Object.entries(owner);
  if (given.length === 0) return <span />;
  return (
    <TagGroup
      aria-label={t('operations.owner')}
      onRemove={names => names.forEach(name => onRemove(String(name)))}
    >
      {given.map(([name, value]) => (
        <Tag key={name} id={name} textValue={name}>
          {name}: {name === 'errorGroup' ? sayId(value) : value}
        </Tag>
      ))}
    </TagGroup>
  );
}

function Loading() {
  return (
    <Flex direction="column" gap="3" aria-hidden>
      {Array.from({ length: 6 }, (_, row) => (
        <Skeleton key={row} width="100%" height={44} />
      ))}
    </Flex>
  );
}

interface CardsProps {
  title: string;
  operations: Operation[];
  onOpen: (id: string) => void;
}

function Cards({ title, operations, onOpen }: CardsProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  if (operations.length === 0) return null;
  return (
    <section>
      <h2 className={styles.heading}>{title}</h2>
      <div className={styles.cards}>
        {operations.map(each => (
          <OperationCard
            key={each.id}
            operation={each}
            actions={
              <Button
                size="small"
                variant="tertiary"
                onPress={() => onOpen(each.id)}
              >
                {t('operations.details')}
              </Button>
            }
          />
        ))}
      </div>
    </section>
  );
}

interface ListedProps {
  page: Operations;
  pages: ReturnType<typeof useCursors>;
  /** Whether only some of them are asked for. */
  isFiltered: boolean;
  onOpen: (id: string) => void;
}

function Listed({ page, pages, isFiltered, onOpen }: ListedProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const paused = page.operations.filter(each => each.state === 'paused');
  const running = page.operations.filter(
    each => !isOver(each) && each.state !== 'paused',
  );
  const past = page.operations.filter(isOver);
  if (page.operations.length === 0 && pages.isFirst) {
    return (
      <Empty
        why={isFiltered ? 'filtered' : 'nothing'}
        title={t(isFiltered ? 'operations.noneMatch' : 'operations.none')}
        description={isFiltered ? undefined : t('operations.noneDetail')}
      />
    );
  }
  return (
    <>
      <Cards
        title={t('operations.paused')}
        operations={paused}
        onOpen={onOpen}
      />
      <Cards
        title={t('operations.running')}
        operations={running}
        onOpen={onOpen}
      />
      <section>
        <h2 className={styles.heading}>{t('operations.past')}</h2>
        {past.length > 0 ? (
          <OperationsTable operations={past} onOpen={onOpen} />
        ) : (
          <Text>{t('operations.noneEnded')}</Text>
        )}
        <Pager pages={pages} next={page.nextCursor} />
      </section>
    </>
  );
}
