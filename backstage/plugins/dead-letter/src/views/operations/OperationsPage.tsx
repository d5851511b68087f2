import {
  useAppSearchParams,
  useTranslationRef,
} from '@backstage/frontend-plugin-api';
import { Button, Flex, Skeleton, Text } from '@backstage/ui';
import { OperationPage } from '@dead-letter/backstage-plugin-dead-letter-common';
import { Answered } from '../../components/Answered';
import { Empty } from '../../components/Empty';
import { EnvironmentSelect } from '../../components/EnvironmentSelect';
import { PluginPage } from '../../components/PluginPage';
import { useAnswer } from '../../hooks/useDeadLetter';
import { useEnvironment } from '../../hooks/useEnvironment';
import { OPERATION_PARAMETER } from '../../hooks/useOperationPath';
import { deadLetterTranslationRef } from '../../translation';
import { isOver } from './operation';
import { OperationCard } from './OperationCard';
import { OperationDrawer } from './OperationDrawer';
import styles from './OperationsPage.module.css';
import { OperationsTable } from './OperationsTable';
import { Pager } from './OutcomeList';
import { useCursors } from './useCursors';

const PAGE = 25;
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

/** A cursor is of one environment: another one begins anew. */
function InEnvironment() {
  const { name } = useEnvironment();
  return <Operations key={name} />;
}

function Operations() {
  const [parameters, setParameters] = useAppSearchParams();
  const pages = useCursors();
  const answer = useAnswer(
    ['operations', pages.cursor],
    (client, signal) =>
      client.operations({ limit: PAGE, cursor: pages.cursor }, signal),
    {
      every: page =>
        page?.operations.some(each => !isOver(each)) ? MOVING_MS : QUIET_MS,
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
      <Flex justify="end">
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

function Loading() {
  return (
    <Flex direction="column" gap="3" aria-hidden>
      {Array.from({ length: 6 }, (_, row) => (
        <Skeleton key={row} width="100%" height={44} />
      ))}
    </Flex>
  );
}

interface ListedProps {
  page: OperationPage;
  pages: ReturnType<typeof useCursors>;
  onOpen: (id: string) => void;
}

function Listed({ page, pages, onOpen }: ListedProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const running = page.operations.filter(each => !isOver(each));
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
      {running.length > 0 && (
        <section>
          <h2 className={styles.heading}>{t('operations.running')}</h2>
          <div className={styles.cards}>
            {running.map(each => (
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
      )}
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
