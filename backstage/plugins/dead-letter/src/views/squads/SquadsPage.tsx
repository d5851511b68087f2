import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Card, CardBody } from '@backstage/ui';
import { SquadOverview } from '@dead-letter/backstage-plugin-dead-letter-common';
import { Answered } from '../../components/Answered';
import { Empty } from '../../components/Empty';
import { PluginPage } from '../../components/PluginPage';
import { useAnswer } from '../../hooks/useDeadLetter';
import { deadLetterTranslationRef } from '../../translation';
import { Headline } from '../../components/Headline';
import { SquadsTable, UNOWNED } from './SquadsTable';
import { TableSkeleton } from '../../components/TableSkeleton';
import { Unowned } from './Unowned';
import { EVERY_MS } from '../../hooks/every';

/** Who has dead letters, and how many. */
export function SquadsPage() {
  return (
    <PluginPage view="squads">
      <Squads />
    </PluginPage>
  );
}

function Squads() {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const squads = useAnswer(
    ['squads'],
    (client, signal) => client.squads(signal),
    // Those of another environment must not be taken for those of this one.
    { every: EVERY_MS, keep: false },
  );
  const some = squads.data?.some(each => each.squad === UNOWNED);
  return (
    <>
      <SquadsHeadline squads={squads.data} />
      <Answered
        answer={squads}
        loading={
          <Card>
            <TableSkeleton />
          </Card>
        }
      >
        {found => (
          <Card>
            <CardBody>
              {found.length > 0 ? (
                <SquadsTable squads={found} />
              ) : (
                <Empty
                  title={t('squads.empty')}
                  description={t('squads.emptyDetail')}
                />
              )}
            </CardBody>
          </Card>
        )}
      </Answered>
      {some && <Unowned />}
    </>
  );
}

function SquadsHeadline({ squads }: { squads: SquadOverview[] | undefined }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const sum = (of: (squad: SquadOverview) => number) =>
    squads?.reduce((total, each) => total + of(each), 0) ?? 0;
  const messages = sum(each => each.messages);
  const services = sum(each => each.services);
  const owners = sum(each => (each.squad === UNOWNED ? 0 : 1));
  return (
    <Headline
      number={squads && messages}
      unit={t('squads.headline', { count: messages })}
      scope={
        messages === 0
          ? ''
          : t('squads.scope', {
              services: t('squads.serviceCount', {
                count: services,
                number: services.toLocaleString(),
              }),
              squads: t('squads.squadCount', {
                count: owners,
                number: owners.toLocaleString(),
              }),
            })
      }
    />
  );
}
