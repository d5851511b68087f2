import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Button, ButtonLink, Flex } from '@backstage/ui';
import { Empty } from '../../components/Empty';
import { LastDay } from '../../components/LastDay';
import { useAnswer } from '../../hooks/useDeadLetter';
import { EVERY_MS } from '../../hooks/every';
import { FIND_PARAMETER, useSearchPath } from '../../hooks/useMessagePath';
import { deadLetterTranslationRef } from '../../translation';
import { Filtered } from './useFilter';

const DAY_MS = 24 * 3_600_000;

interface NothingProps {
  service: string;
  filtered: Filtered;
}

/** Nothing is listed, and what is known of why. */
export function Nothing({ service, filtered }: NothingProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { view, change } = filtered;
  if (view.cursor) {
    return (
      <Empty
        why="filtered"
        title={t('service.pageGone')}
        action={
          <Button
            variant="secondary"
            onPress={() => change({ cursor: undefined })}
          >
            {t('service.firstPage')}
          </Button>
        }
      />
    );
  }
  if (Object.keys(view.conditions).length === 0) {
    return <NothingWaits service={service} filtered={filtered} />;
  }
  return <NothingMatches service={service} filtered={filtered} />;
}

/** None is dead. That says nothing of what was done with those that were. */
function NothingWaits({ service, filtered }: NothingProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const services = useAnswer(
    ['services', null],
    (client, signal) => client.services(undefined, signal),
    { every: EVERY_MS, keep: false },
  );
  const found = services.data?.find(each => each.service === service);
  const showAll = () =>
    filtered.change({
      status: 'any',
      from: new Date(Date.now() - DAY_MS).toISOString(),
    });
  return (
    <Empty
      title={t('common.empty')}
      description={services.data && <LastDay counts={found?.lastDay} />}
      action={
        found &&
        found.lastDay.died > 0 && (
          <Button variant="secondary" onPress={showAll}>
            {t('common.showThem')}
          </Button>
        )
      }
    />
  );
}

/** The filter leaves all out. Where somebody looked for something, it says where that was. */
function NothingMatches({ service, filtered }: NothingProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const toSearch = useSearchPath();
  const { view, change, clear } = filtered;
  const { find, status = 'dead' } = view.conditions;
  return (
    <Empty
      why="filtered"
      title={t('service.nothingMatches')}
      description={
        find
          ? t('service.nothingFound', {
              text: find,
              service,
              status: t(`service.looked.${status as 'dead'}`),
            })
          : t('service.nothingMatchesDetail')
      }
      action={
        <Flex gap="2">
          <Button variant="secondary" onPress={clear}>
            {t('service.clearFilter')}
          </Button>
          {status !== 'any' && (
            <Button
              variant="secondary"
              onPress={() => change({ status: 'any' })}
            >
              {t('service.anyStatus')}
            </Button>
          )}
          {find && (
            <ButtonLink
              variant="secondary"
              href={toSearch({ [FIND_PARAMETER]: find })}
            >
              {t('service.everywhere')}
            </ButtonLink>
          )}
        </Flex>
      }
    />
  );
}
