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
import { useAnswer } from '../../hooks/useDeadLetter';
import { useEnvironment } from '../../hooks/useEnvironment';
import { OPERATION_PARAMETER } from '../../hooks/useOperationPath';
import { deadLetterTranslationRef } from '../../translation';
import { isOver, isSettled } from './operation';
import { OperationCard } from './OperationCard';
import { OperationDrawer } from './OperationDrawer';
import styles from './OperationsPage.module.css';
import { OperationsTable } from './OperationsTable';
import { Pager } from './OutcomeList';
import { useCursors } from './useCursors';

const PAGE = 25;
/** Parameters in the address that say whose operations are listed. */
const OWNERS = ['service', 'squad'] as const;
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
  const owner = Object.fromEntries(
    OWNERS.flatMap(each => {
      const value = parameters.get(each);
      return value ? [[each, value]] : [];
    }),
  );
  return (
    <OwnersOperations key={`${name} ${JSON.stringify(owner)}`} owner={owner} />
  );
}

type Owner = Partial<Record<(typeof OWNERS)[number], string>>;

function OwnersOperations({ owner }: { owner: Owner }) {
  const [parameters, setParameters] = useAppSearchParams();
  const pages = useCursors();
  const answer = useAnswer(
    ['operations', owner, pages.cursor],
    (client, signal) =>
      client.operations(
        { ...owner, limit: PAGE, cursor: pages.cursor },
        signal,
      ),
    {
      every: page =>
        page?.operations.some(each => !isSettled(each)) ? MOVING_MS : QUIET_MS,
    },
  );
  const opened = parameters.get(OPERATION_PARAMETER);
  const open = (id: string | undefined) =>
    setParameters(before => {
      before.delete(OPERATION_PARAMETER);
      if (id) before.set(OPERATION_PARAMETER, id);
      return before;
    });
  return (
    <div className={styles.page}>
      <Flex justify="between">
        <OwnerTags
          owner={owner}
          onRemove={name =>
            setParameters(before => {
              before.delete(name);
              return before;
            })
          }
        />
        <EnvironmentSelect />
      </Flex>
      <Answered answer={answer} loading={<Loading />}>
        {page => <Listed page={page} pages={pages} onOpen={open} />}
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
          {name}: {value}
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
  onOpen: (id: string) => void;
}

function Listed({ page, pages, onOpen }: ListedProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const paused = page.operations.filter(each => each.state === 'paused');
  const running = page.operations.filter(
    each => !isOver(each) && each.state !== 'paused',
  );
  const past = page.operations.filter(isOver);
  if (page.operations.length === 0 && pages.isFirst) {
    return (
      <Empty
        title={t('operations.none')}
        description={t('operations.noneDetail')}
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
