import { stringifyEntityRef } from '@backstage/catalog-model';
import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { useEntity } from '@backstage/plugin-catalog-react';
import { Button, Flex, Select, Skeleton, Text } from '@backstage/ui';
import { TotalView } from '@dead-letter/backstage-plugin-dead-letter-common';
import { useCallback, useMemo } from 'react';
import { SERVICE_ANNOTATION } from '../../annotations';
import { Answered } from '../../components/Answered';
import { Empty } from '../../components/Empty';
import { EnvironmentSelect } from '../../components/EnvironmentSelect';
import { Guarded } from '../../components/Guarded';
import { useAnswer, useAskAgain } from '../../hooks/useDeadLetter';
import { useEnvironment } from '../../hooks/useEnvironment';
import { deadLetterTranslationRef } from '../../translation';
import { FilterBar } from './FilterBar';
import { Histogram } from './Histogram';
import { MessageTable } from './MessageTable';
import { NewArrivals } from './NewArrivals';
import { SelectionBar } from './SelectionBar';
import { MessageDrawer } from './drawer';
import { after, useArrivals } from './useArrivals';
import { toFilter, useFilter } from './useFilter';
import { useSelection } from './useSelection';
import styles from './service.module.css';

const NO_ROWS: string[] = [];

/** The dead letters of a component. */
export function ServiceTab() {
  const { entity } = useEntity();
  const { annotations, name } = entity.metadata;
  return (
    <Guarded entity={entity}>
      <InEnvironment
        service={annotations?.[SERVICE_ANNOTATION] ?? name}
        resourceRef={stringifyEntityRef(entity)}
      />
    </Guarded>
  );
}

/** What is chosen in one environment must not be acted on in another. */
function InEnvironment(props: MessagesProps) {
  const { name } = useEnvironment();
  return <Messages key={`${name} ${props.service}`} {...props} />;
}

interface MessagesProps {
  service: string;
  resourceRef: string;
}

function Messages({ service, resourceRef }: MessagesProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { view, change, clear } = useFilter();
  const { conditions, limit, order, cursor } = view;
  const filter = useMemo(
    () => toFilter(service, conditions),
    [service, conditions],
  );
  const page = useAnswer(
    ['messages', filter, limit, order, cursor ?? null],
    (client, signal) => client.search(filter, { limit, order, cursor }, signal),
  );
  const arrivals = useArrivals(filter);
  const rows = page.data?.messages;
  const ids = useMemo(() => rows?.map(each => each.id) ?? NO_ROWS, [rows]);
  const chosen = useSelection(filter, ids);
  const askAgain = useAskAgain();
  const refresh = () => {
    arrivals.acknowledge();
    askAgain();
  };
  // They are at the top of the newest.
  const showArrivals = () => {
    change({ cursor: undefined, order: undefined });
    refresh();
  };
  const open = useCallback((message: string) => change({ message }), [change]);
  const hasConditions = Object.keys(conditions).length > 0;

  return (
    <div className={styles.page}>
      <div className={styles.head}>
        <Text as="h2" variant="title-small">
          {page.data ? (
            <Headline total={page.data.total} />
          ) : (
            t('service.title')
          )}
        </Text>
        <NewArrivals arrivals={arrivals} onShow={showArrivals} />
        <Flex gap="3" align="center">
          <Select
            size="small"
            aria-label={t('service.order')}
            options={[
              { value: 'newest', label: t('service.newest') },
              { value: 'oldest', label: t('service.oldest') },
            ]}
            value={order}
            onChange={next => change({ order: String(next) })}
          />
          <EnvironmentSelect />
        </Flex>
      </div>
      <FilterBar
        service={service}
        conditions={conditions}
        onChange={change}
        onClear={clear}
      />
      <Histogram
        filter={filter}
        onChoose={(from, to) => change({ from, to })}
      />
      <Answered
        answer={page}
        loading={<Skeleton className={styles.skeleton} />}
      >
        {data => (
          <>
            <SelectionBar
              chosen={chosen}
              total={data.total.value}
              before={arrivals.since && after(arrivals.since)}
              canAct={(conditions.status ?? 'dead') === 'dead'}
              resourceRef={resourceRef}
              onChanged={refresh}
            />
            {data.messages.length === 0 ? (
              <Nothing
                service={service}
                onFirstPage={
                  cursor ? () => change({ cursor: undefined }) : false
                }
                onClear={hasConditions && clear}
              />
            ) : (
              <MessageTable
                page={data}
                isStale={page.isPlaceholderData}
                view={view}
                chosen={chosen.ids}
                onChoose={chosen.choose}
                onOpen={open}
                onTurn={next => change({ cursor: next })}
                onLimit={next => change({ limit: String(next) })}
              />
            )}
          </>
        )}
      </Answered>
      {view.message && (
        <MessageDrawer
          id={view.message}
          resourceRef={resourceRef}
          onClose={() => change({ message: undefined })}
          onOpen={open}
          onChanged={refresh}
        />
      )}
    </div>
  );
}

function Headline({ total }: { total: TotalView }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const count = total.value;
  return (
    <>
      {total.relation === 'eq'
        ? t('service.headline', { count })
        : t('service.headlineAtLeast', { count })}
    </>
  );
}

/** There is nothing, or nothing that matches. */
function Nothing({
  service,
  onFirstPage,
  onClear,
}: {
  service: string;
  onFirstPage: false | (() => void);
  onClear: false | (() => void);
}) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  if (onFirstPage) {
    return (
      <Empty
        title={t('service.pageGone')}
        action={
          <Button variant="secondary" onPress={onFirstPage}>
            {t('service.firstPage')}
          </Button>
        }
      />
    );
  }
  if (!onClear) {
    return (
      <Empty
        title={t('service.empty')}
        description={t('service.emptyDetail', { service })}
      />
    );
  }
  return (
    <Empty
      title={t('service.nothingMatches')}
      description={t('service.nothingMatchesDetail')}
      action={
        <Button variant="secondary" onPress={onClear}>
          {t('service.clearFilter')}
        </Button>
      }
    />
  );
}
