import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Alert, Card, CardBody, Text } from '@backstage/ui';
import { SquadOverview } from '@dead-letter/backstage-plugin-dead-letter-common';
import { Answered } from '../../components/Answered';
import { Empty } from '../../components/Empty';
import { FindBox } from '../../components/FindBox';
import { LastDay, sumOfLastDay } from '../../components/LastDay';
import { PluginPage } from '../../components/PluginPage';
import { useAnswer } from '../../hooks/useDeadLetter';
import { deadLetterTranslationRef } from '../../translation';
import { Headline } from '../../components/Headline';
import { OwnershipState } from './OwnershipState';
import { SquadsTable, UNOWNED } from './SquadsTable';
import { TableSkeleton } from '../../components/TableSkeleton';
import { Unowned } from './Unowned';
import { WhatIsNew } from './WhatIsNew';
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
      <FindBox />
      <OwnershipState />
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
              {found.length > 0 && sum(found) === 0 && (
                <Alert
                  status="info"
                  icon
                  mb="4"
                  title={t('common.empty')}
                  description={<LastDay counts={sumOfLastDay(found)} />}
                />
              )}
              {found.length > 0 ? (
                <SquadsTable squads={found} />
              ) : (
                <Empty
                  title={t('common.empty')}
                  description={t('common.lastDayNone')}
                />
              )}
            </CardBody>
          </Card>
        )}
      </Answered>
      <WhatIsNew />
      {some && <Unowned />}
    </>
  );
}

function sum(squads: SquadOverview[]): number {
  return squads.reduce((total, each) => total + each.messages, 0);
}

function SquadsHeadline({ squads }: { squads: SquadOverview[] | undefined }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const muted = (squads ?? []).reduce((total, each) => total + each.muted, 0);
  const messages = sum(squads ?? []) - muted;
  // What stays for a day though none of it is dead is not counted.
  const waiting = squads?.filter(each => each.messages > 0) ?? [];
  const services = waiting.reduce((total, each) => total + each.services, 0);
  const owners = waiting.filter(each => each.squad !== UNOWNED).length;
  return (
    <>
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
      {muted > 0 && (
        <Text as="p" color="secondary">
          {t('squad.muted', { count: muted })}
        </Text>
      )}
    </>
  );
}
