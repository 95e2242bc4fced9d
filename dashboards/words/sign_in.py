"""Words of signing in."""

from __future__ import annotations

from schemas.words import Text

SIGN_IN = Text("登录", "Sign in")
SIGN_OUT = Text("退出登录", "Sign out")
NAME = Text("姓名", "Name")
PASSWORD = Text("密码", "Password")
WRONG = Text("姓名或密码不对。", "Name or password is wrong.")
WAIT = Text("密码多次错误，请稍后再试；还需等待（秒）：", "Too many wrong passwords. Try again in seconds:")
BUSY = Text("登录的人太多，请稍后再试。", "Too many are signing in: try again in a moment.")
NEEDS_TLS = Text(
    "本页须经 HTTPS 打开，否则密码会以明文在网络上传输。请用 https:// 地址，或请管理员在前面设置 TLS 代理。",
    "Open this page by https: otherwise the password would travel in clear. Ask whoever runs it for its https address.",
)
ONLY_VIEWER = Text("您的账号只能查看，不能处理告警。", "Your account may look, not deal with alarms.")
ACTS_AS = Text("操作者", "You act as")
