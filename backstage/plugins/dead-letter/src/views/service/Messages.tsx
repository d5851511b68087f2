import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { ButtonLink, Select, Skeleton, Text } from '@backstage/ui';
import {
  Filter,
  Total,
} from '@dead-letter/backstage-plugin-dead-letter-common';
import { memo, useCallback, useMemo } from 'react';
import { Answered } from '../../components/Answered';
import { EnvironmentSelect } from '../../components/EnvironmentSelect';
import { Row } from '../../components/Row';
import { useAnswer, useAskAgain } from '../../hooks/useDeadLetter';
import { useEnvironment } from '../../hooks/useEnvironment';
import { useOperationsPath } from '../../hooks/useOperationPath';
import { deadLetterTranslationRef } from '../../translation';
import { ExportMenu } from '../exporting';
import { BreakDown } from '../facets';
import { OperationHistory } from '../operations/OperationHistory';
import { OperationsOf } from '../operations/OperationsOf';
import { useOperationsOf } from '../operations/useOperationsOf';
import { ChosenGroup } from './ChosenGroup';
import { FilterBar } from './FilterBar';
import { Histogram } from './chart/Histogram';
import { Listed } from './Listed';
import { NewArrivals } from './NewArrivals';
import { MessageDrawer } from './drawer';
import { Arrivals, useArrivals } from './useArrivals';
import { Filtered, toFilter, useFilter } from './useFilter';
import { useGroups } from './useGroups';
import styles from './service.module.css';

// What a turned page does not change is not drawn again: the page is asked for as soon as it is drawn.
const Filters = memo(FilterBar);
const Chart = memo(Histogram);
const Parts = memo(BreakDown);
const History = memo(OperationHistory);

interface MessagesProps {
  service: string;
  resourceRef: string;
}

/** The dead letters of a service. What is chosen in one environment must not be acted on in another. */
export function MessagesOf(props: MessagesProps) {
  const { name } = useEnvironment();
  return <Messages key={`${name} ${props.service}`} {...props} />;
}

function Messages({ service, resourceRef }: MessagesProps) {
  const filtered = useFilter();
  const { view, change, clear } = filtered;
  const { conditions, limit, order, cursor } = view;
  const filter = useMemo(
    () => toFilter(service, conditions),
    [service, conditions],
  );
  const page = useAnswer(
    ['messages', filter, limit, order, cursor ?? null],
    (client, signal) => client.search(filter, { limit, order, cursor }, signal),
  );
  const groups = useGroups(service, filter.status);
  const { operations, isMoving } = useOperationsOf({ service });
  const arrivals = useArrivals(filter);
  const askAgain = useAskAgain();
  const { acknowledge } = arrivals;
  const refresh = useCallback(() => {
    acknowledge();
    askAgain();
  }, [acknowledge, askAgain]);
  // They are at the top of the newest.
  const showArrivals = () => {
    change({ cursor: undefined, order: undefined });
    refresh();
  };
  const open = useCallback((message: string) => change({ message }), [change]);
  const choose = useCallback(
    (from: string, to: string) => change({ from, to }),
    [change],
  );
  const chooseGroup = useCallback(
    (errorGroup: string) => change({ errorGroup }),
    [change],
  );
  const owner = useMemo(() => ({ service }), [service]);

  return (
    <div className={styles.page}>
      <Head
        service={service}
        filter={filter}
        total={arrivals.total ?? page.data?.total}
        filtered={filtered}
        arrivals={arrivals}
        onShow={showArrivals}
      />
      <OperationsOf operations={operations} />
      <Filters
        groups={groups}
        conditions={conditions}
        onChange={change}
        onClear={clear}
      />
      {conditions.errorGroup && (
        <ChosenGroup id={conditions.errorGroup} resourceRef={resourceRef} />
      )}
      <Chart
        filter={filter}
        groups={groups}
        onChoose={choose}
        onChooseGroup={chooseGroup}
      />
      <Parts
        service={service}
        resourceRef={resourceRef}
        filter={filter}
        onChoose={change}
      />
      <Answered
        answer={page}
        loading={<Skeleton className={styles.skeleton} />}
      >
        {data => (
          <Listed
            service={service}
            resourceRef={resourceRef}
            filter={filter}
            filtered={filtered}
            groups={groups}
            page={{
              data,
              at: page.dataUpdatedAt,
              isStale: page.isPlaceholderData,
            }}
            since={arrivals.since}
            isMoving={isMoving}
            onOpen={open}
            onChanged={refresh}
          />
        )}
      </Answered>
      <History owner={owner} />
      {view.message && (
        <MessageDrawer
          id={view.message}
          resourceRef={resourceRef}
          onClose={() => change({ message: undefined })}
          onOpen={open}
          onChanged={refresh}
          neighbours={neighboursOf(view.message, page.data?.messages)}
        />
      )}
    </div>
  );
}

/** Those beside it on the page; none where it is not on it. */
function neighboursOf(id: string, messages: { id: string }[] = []) {
  const place = messages.findIndex(each => each.id === id);
  return place < 0
    ? undefined
    : { previous: messages[place - 1]?.id, next: messages[place + 1]?.id };
}

interface HeadProps {
  service: string;
  filter: Filter;
  /** How many there are now. */
  total: Total | undefined;
  filtered: Filtered;
  arrivals: Arrivals;
  onShow: () => void;
}

function Head(props: HeadProps) {
  const { service, filter, total, filtered, arrivals, onShow } = props;
  const operationsPath = useOperationsPath();
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { view, change } = filtered;
  return (
    <div className={styles.head}>
      <Text as="h2" variant="title-small">
        {total ? <Headline total={total} /> : t('service.title')}
      </Text>
      <NewArrivals arrivals={arrivals} onShow={onShow} />
      <Row>
        <Select
          size="small"
          aria-label={t('service.order')}
          options={[
            { value: 'newest', label: t('service.newest') },
            { value: 'oldest', label: t('service.oldest') },
          ]}
          value={view.order}
          onChange={next => change({ order: String(next) })}
        />
        <ButtonLink
          size="small"
          variant="secondary"
          href={operationsPath({ service })}
        >
          {t('operations.all')}
        </ButtonLink>
        <ExportMenu filter={filter} name={service} />
        <EnvironmentSelect />
      </Row>
    </div>
  );
}

function Headline({ total }: { total: Total }) {
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
