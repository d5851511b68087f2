import { useTranslationRef } from '@backstage/frontend-plugin-api';
import {
  ButtonIcon,
  Menu,
  MenuItem,
  MenuSection,
  MenuTrigger,
} from '@backstage/ui';
import { ErrorGroup } from '@dead-letter/backstage-plugin-dead-letter-common';
import {
  RiArrowGoBackLine,
  RiCheckLine,
  RiMore2Line,
  RiStickyNoteLine,
  RiVolumeMuteLine,
} from '@remixicon/react';
import { useState } from 'react';
import { deadLetterTranslationRef } from '../../translation';
import { NoteDialog } from './NoteDialog';
import { useChange } from './useChange';
import { useTitle } from './useTitle';

const HOUR_MS = 3_600_000;

const MUTE_FOR = [
  { text: 'muteHour', ms: HOUR_MS },
  { text: 'muteDay', ms: 24 * HOUR_MS },
  { text: 'muteWeek', ms: 7 * 24 * HOUR_MS },
] as const;

/** What can be said about a group. */
export function ErrorGroupMenu({ group }: { group: ErrorGroup }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const change = useChange(group);
  const title = useTitle(group);
  const [noting, setNoting] = useState(false);
  const done = group.state === 'resolved' || group.state === 'muted';
  return (
    <>
      <MenuTrigger>
        <ButtonIcon
          size="small"
          variant="tertiary"
          aria-label={t('squad.change.menu', { title })}
          icon={<RiMore2Line />}
          isPending={change.isPending}
        />
        <Menu placement="bottom end">
          {group.state !== 'resolved' && (
            <MenuItem
              iconStart={<RiCheckLine />}
              onAction={() => change.mutate({ action: 'resolve' })}
            >
              {t('squad.change.resolve')}
            </MenuItem>
          )}
          {done && (
            <MenuItem
              iconStart={<RiArrowGoBackLine />}
              onAction={() => change.mutate({ action: 'reopen' })}
            >
              {t('squad.change.reopen')}
            </MenuItem>
          )}
          <MenuItem
            iconStart={<RiStickyNoteLine />}
            onAction={() => setNoting(true)}
          >
            {t('squad.change.note')}
          </MenuItem>
          <MenuSection title={t('squad.change.mute')}>
            {MUTE_FOR.map(({ text, ms }) => (
              <MenuItem
                key={text}
                iconStart={<RiVolumeMuteLine />}
                onAction={() =>
                  change.mutate({
                    action: 'mute',
                    mutedUntil: new Date(Date.now() + ms).toISOString(),
                  })
                }
              >
                {t(`squad.change.${text}`)}
              </MenuItem>
            ))}
          </MenuSection>
        </Menu>
      </MenuTrigger>
      {noting && <NoteDialog group={group} onClose={() => setNoting(false)} />}
    </>
  );
}
