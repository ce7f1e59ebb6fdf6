"""The heads that people write over columns, by the field they mean; `|` between them."""

from __future__ import annotations

HEADS: dict[str, str] = {
    "external_id": (
        "编号|客户编号|客户编码|客户代码|编码|代码|ERP编号|ERP编码|ERP号|no|number|code|"
        "customer number|customer no|customer code|customer id|id|external id"
    ),
    "name": (
        "名称|客户名称|客户|客户名|单位|单位名称|公司|公司名称|企业名称|经销商|"
        "经销商名称|门店名称|店名|商户名称|customer|customer name|company|company name|"
        "dealer|account|account name|firm"
    ),
    "kind": "类型|客户类型|类别|客户类别|种类|性质|type|customer type|category",
    "status": "客户状态|合作状态|customer status|state",
    "owner": (
        "业务员|客户经理|销售|销售代表|销售员|归属人|跟进人|所属业务员|sales rep|rep|"
        "salesperson|account manager|responsible"
    ),
    "parent": (
        "上级客户|上级|上级经销商|上级单位|上游|上游客户|供货上级|所属经销商|上级客户编号|"
        "supplied by|parent|parent customer|upstream|upstream customer|supplying distributor"
    ),
    "group_head": (
        "集团|所属集团|集团公司|集团总部|总公司|母公司|总部|group|group head|head of the group|"
        "belongs to group|parent company|head office"
    ),
    "phone": (
        "电话|联系电话|电话号码|公司电话|座机|固定电话|固话|手机|手机号|手机号码|tel|"
        "telephone|phone number|mobile|mobile phone"
    ),
    "email": "邮箱|电子邮箱|电子邮件|邮件|mail|email|e mail|email address",
    "tax_id": (
        "税号|纳税人识别号|统一社会信用代码|信用代码|社会信用代码|税务登记号|tax id|"
        "tax no|tax number|vat|vat id|vat number|credit code|uscc"
    ),
    "address": (
        "地址|公司地址|详细地址|联系地址|收货地址|注册地址|经营地址|company address|"
        "street|street address"
    ),
    "division": (
        "区域|地区|所在地区|所在区域|区县|省市区|行政区划|区划代码|行政区划代码|城市|"
        "area|region|district|city|area code"
    ),
    "latitude": "纬度|lat",
    "longitude": "经度|lng|lon|long",
    "founded_on": "成立日期|成立时间|注册日期|开业日期|founded|established|date founded",
    "buyout": "买断|是否买断|买断经营|buyout",
    "tags": "标签|tag|labels",
    "contact.name": (
        "联系人|联系人姓名|姓名|老板|老板姓名|法人|法定代表人|法人代表|店主|经理|contact|"
        "contact person|contact name|person|full name"
    ),
    "contact.title": "职务|职位|头衔|联系人职务|title|job title|position",
    "contact.phone": (
        "联系人电话|联系人手机|手机|手机号|手机号码|移动电话|老板电话|法人电话|"
        "contact phone|contact mobile|mobile|mobile phone|cell|cell phone"
    ),
    "contact.email": "联系人邮箱|contact email|contact e mail",
    "contact.wechat": "微信|微信号|联系人微信|wechat id",
    "contact.birthday": (
        "生日|出生日期|联系人生日|老板生日|出生年月|birthday|date of birth|birth date|dob"
    ),
    "profile.capital": "注册资本|注册资金",
    "profile.staff_count": "员工人数|人数|员工数|员工|employees|headcount|number of employees",
    "profile.yearly_sales": "年销售额|年营业额|年产值|annual sales|turnover|revenue|annual revenue",
    "profile.credit_standing": "信用|信用状况|信用等级|资信|credit|credit rating",
    "profile.buys": "采购内容|经营品种|主营产品|主营业务|经营范围|main products|business scope",
    "profile.yearly_purchase": "年采购额|同类年采购额|annual purchase|yearly purchases",
    "profile.purchase_rhythm": "采购频率|进货频率|purchase frequency",
    "profile.purchase_months": (
        "采购月份|进货月份|采购季节|旺季月份|purchase months|buying months|months"
    ),
    "profile.favourites": "喜好产品|偏好产品|favorite products|favorites",
    "profile.past_categories": "过去经营品类|以往品类|历史品类|past categories",
    "profile.promotion_attitude": "促销态度|对促销的态度|promotion attitude",
    "profile.suggestions": "建议|客户建议|意见|意见建议|suggestion",
    "profile.product_satisfaction": "产品满意度|对产品的满意度|product satisfaction",
    "profile.service_satisfaction": "服务满意度|对服务的满意度|service satisfaction",
    "profile.suppliers": (
        "主要供应商|现有供应商|供应商|供货商|主要供货商|main supplier|"
        "main suppliers|supplier|suppliers"
    ),
    "profile.supplier_scores": (
        "供应商满意度|对供应商的满意度|供货商满意度|supplier satisfaction|"
        "satisfaction with supplier|satisfaction with suppliers"
    ),
}
